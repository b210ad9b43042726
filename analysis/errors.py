"""What a person reads when something can not be done."""


class StrataError(Exception):
    """Anything a person can act on.

    The message is one sentence of what is wrong and one of what to do. Screens and the command line show
    it as it is; whatever is not a StrataError is a bug of ours.
    """
