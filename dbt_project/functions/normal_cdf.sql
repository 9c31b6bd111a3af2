select 0.5 * erfc(-x / sqrt(2::double precision))
