select trim_scale(numerator / nullif(denominator, 0))
