#[ml_model(display_name = "Sum", qualified_name = "sum", description = "Adds up.", version = "2")]
#[decorate(crate::Timing)]
#[decorate(metrics)]
#[decorate(prediction_id)]
#[decorate(Cache::with_ttl(60))]
#[decorate(logging(
    input_fields = ["prediction_id", "age", sex, "address.zip", bmi as body_mass_index, r#type, point.0.1],
    output_fields = ["sum", hashed(customer.id), "redacted(ssn) as number", bucketed(income, 1_000), "bucketed(share, 0.1)"],
    level = debug,
    sample = 0.1,
    slow = "50ms",
    target = "audit",
))]
struct SumModel {
    bias: f64,
}
