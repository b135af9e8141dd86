use ml_model_core::Sensitive;

fn main() {
    let ssn = Sensitive::new("078-05-1120".to_owned());
    println!("{ssn}");
    let _ = ssn.to_string();
    let _ = ssn.ends_with("20");
    let _ = ssn.into_inner().len();
}
