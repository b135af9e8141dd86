include!("../common.rs");

#[derive(MLModel)]
#[decorate(logging(input_fields = ["address.zipp", "addres.zip as zip", "home.zipp as home", home.zipp]))]
struct Model;

infer!(Model);

#[derive(MLModel)]
#[decorate(logging(input_fields = ["hashed(agee)", "bucketed(bmii, 5)", "agee as years", hashed("sexx")]))]
struct WithPolicies;

infer!(WithPolicies);

#[derive(MLModel)]
#[decorate(logging(input_fields = ["input.age", "redacted(home.zipp)"], output_fields = ["self.charges"]))]
struct WithRoot;

infer!(WithRoot);

fn main() {
    let _ = Model.display_name();
}
