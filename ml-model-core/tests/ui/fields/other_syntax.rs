include!("../common.rs");

#[derive(MLModel)]
#[decorate(logging(
    input_fields = [
        weights[0],
        "weights[0]",
        weights.len(),
        "weights.len()",
        *,
        "*",
        "age, bmi",
        age bmi,
        "age" "bmi",
        bmi => body_mass_index,
        "bmi => body_mass_index",
        bmi: body_mass_index,
        "bmi: body_mass_index",
        bmi -> body_mass_index,
        address::zip,
        "address::zip",
        &age,
        "&age",
        "address?.zip",
        "hashed ssn",
        "address.",
        ["age"],
        "[age]",
        Input::age,
        "Input::age",
        home.unwrap().zip,
        "home.unwrap().zip",
        ?age,
        "?age",
        %age,
        sample = 0.1,
        level = info,
        redacted,
        "hashed",
    ],
))]
struct Model;

infer!(Model);

fn main() {
    let _ = Model.display_name();
}
