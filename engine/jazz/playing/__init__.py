"""The networks at work: many takes sampled, one chosen, performed, and kept from copying."""
