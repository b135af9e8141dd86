use ml_model_core::Sensitive;

fn main() {
    let ssn = Sensitive::new("078-05-1120".to_owned());
    tracing::info!(ssn = %ssn, "an event");
}
