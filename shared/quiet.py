"""A logger that says nothing, for libraries that print what they raise as well."""

from logging import Logger, NullHandler, getLogger


def quiet_logger(name: str) -> Logger:
    """Give a logger whose lines go nowhere: librdkafka prints beside our logs otherwise."""
    logger = getLogger(name)
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(NullHandler())
    return logger
