"""The sheets of the conversion price model: about, inputs, securities, chain, calculation, what_if, rounding,
tie_out, checks, in reading order."""
