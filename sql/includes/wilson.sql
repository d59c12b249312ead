-- 95 % interval of the share of matured units that converted (Wilson): two columns over
-- matured_converted_count and matured_known, which is null without a matured unit.
case
  when matured_converted_count = 0 and matured_known > 0 then 0
  else round(
    (matured_converted_count + 1.9207294103470627 - 1.959963984540054 * sqrt(
      matured_converted_count * (matured_known - matured_converted_count) / matured_known
        + 0.9603647051735313
    )) / (matured_known + 3.8414588206941254),
    9
  )
end as matured_rate_low,
case
  when matured_converted_count = matured_known then 1
  else round(
    (matured_converted_count + 1.9207294103470627 + 1.959963984540054 * sqrt(
      matured_converted_count * (matured_known - matured_converted_count) / matured_known
        + 0.9603647051735313
    )) / (matured_known + 3.8414588206941254),
    9
  )
end as matured_rate_high,
