"""The one exception that is meant for the person at the keyboard."""


class UserError(Exception):
    """Something the user can mend: the message names the culprit and the remedy.

    Jobs print it without a traceback; everything else keeps its traceback, because it is a bug.
    """
