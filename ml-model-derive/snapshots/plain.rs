/// Adds up.
struct SumModel;
