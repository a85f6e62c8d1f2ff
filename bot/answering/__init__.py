"""From interaction to answer: the growing reply, posting and its checks, lasting buttons, errors as sentences."""
