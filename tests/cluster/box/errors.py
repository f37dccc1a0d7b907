"""What goes wrong on the user's machine, said in words."""


class BoxError(Exception):
    """Something that the user can put right: the message says what it is and how."""
