#[serde(rename_all = "snake_case")]
enum Region {
    NorthEast,
    #[serde(rename = "SW")]
    SouthWest,
}
