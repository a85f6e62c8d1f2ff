"""The engine as the bot meets it: calls over the contract, the local process and its watch, what it offers."""
