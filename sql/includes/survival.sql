-- Share of stays that is still inside after an age (Kaplan-Meier): one column over left_count and
-- at_risk, by the window ages, which parts the curves and is ordered by age.
case
  when left_count = at_risk then 0
  else round(
    exp(sum(ln(if(left_count = at_risk, 1, (at_risk - left_count) / at_risk))) over ages), 9
  )
end as share_inside,
