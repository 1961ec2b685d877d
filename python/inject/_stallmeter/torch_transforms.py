"""The members of a Compose: COMPOSE and TRANSFORM. (first: classes only)"""


def install(dataset):
    pass
