"""The rest of a step."""


def install():
    pass
