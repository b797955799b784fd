"""The exception whose message is for the user."""

AFFECTS_RESULTS = False  # a message is not a result


class UserError(Exception):
    """A problem that the user can solve: the message says what is wrong and what to do.

    Jobs print it without a traceback. Other exceptions are bugs, and keep their traceback.
    """
