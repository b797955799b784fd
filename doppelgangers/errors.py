"""The one exception that is meant for the person at the keyboard."""

AFFECTS_RESULTS = False  # a message is not a result


class UserError(Exception):
    """Something the user can mend: the message names the culprit and the remedy.

    Jobs print it without a traceback; everything else keeps its traceback, because it is a bug.
    """
