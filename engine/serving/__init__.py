"""The engine's server: the contract call by call, and whose turn it is on the device."""
