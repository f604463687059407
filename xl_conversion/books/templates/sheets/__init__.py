"""The sheets of the conversion price model, in reading order: about, inputs, securities, chain, calculation, what_if,
rounding, tie_out, checks."""
