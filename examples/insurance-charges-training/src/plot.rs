//! An SVG plot of predicted against actual charges.
//!
//! The module writes the SVG without a plotting library: the plot follows the light or dark theme of the viewer, uses
//! the system's sans-serif font, and is deterministic.

use std::fmt::{self, Write};

use super::data::Row;
use super::metrics::Scores;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 810.0;
// The plotting area is square, so that the identity line is its diagonal.
const LEFT: f64 = 78.0;
const TOP: f64 = 116.0;
const SIDE: f64 = 630.0;

/// US dollars between two grid lines.
const STEP: f64 = 10_000.0;

/// Shapes distinguish smokers where colours do not. Colours are written out in each rule, because image viewers other
/// than browsers support neither CSS variables nor themes; they show the light theme.
const STYLE: &str = "
  text { font-family: system-ui, sans-serif; font-size: 14px; fill: #5b6773; }
  .card { fill: #ffffff; stroke: #e3e8ed; }
  .title { font-size: 20px; font-weight: 600; fill: #1f2933; }
  .axis { fill: #1f2933; }
  .grid { stroke: #e3e8ed; stroke-width: 1; }
  .identity { stroke: #7b8794; stroke-width: 1.5; stroke-dasharray: 6 4; }
  .no { fill: #0072b2; stroke: #ffffff; stroke-width: 0.5; fill-opacity: 0.7; }
  .yes { fill: #d55e00; stroke: #ffffff; stroke-width: 0.5; fill-opacity: 0.8; }
  .end { text-anchor: end; }
  .middle { text-anchor: middle; }
  @media (prefers-color-scheme: dark) {
    text { fill: #9aa7b4; }
    .card { fill: #161b22; stroke: #2b333d; }
    .title, .axis { fill: #e6edf3; }
    .grid { stroke: #2b333d; }
    .identity { stroke: #8b98a5; }
    .no { fill: #56b4e9; stroke: #161b22; }
    .yes { fill: #ff9d4d; stroke: #161b22; }
  }
";

/// Draws the plot of rows and their predicted charges.
pub fn draw(rows: &[Row], predicted: &[f64], scores: &Scores) -> String {
    let mut svg = String::new();
    write_svg(&mut svg, rows, predicted, scores).expect("writing to a string does not fail");
    svg
}

fn write_svg(out: &mut String, rows: &[Row], predicted: &[f64], scores: &Scores) -> fmt::Result {
    let actual = rows.iter().map(|row| row.charges);
    let largest = actual.chain(predicted.iter().copied()).fold(STEP, f64::max);
    let scale = Scale { end: (largest / STEP).ceil() * STEP };

    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-labelledby=\"title summary\">"
    )?;
    writeln!(out, "<style>{STYLE}</style>")?;
    // The card keeps the plot independent of the page's background.
    let (width, height) = (WIDTH - 1.0, HEIGHT - 1.0);
    writeln!(
        out,
        "<rect class=\"card\" x=\"0.5\" y=\"0.5\" width=\"{width}\" height=\"{height}\" rx=\"10\"/>"
    )?;
    write_heading(out, rows, scores)?;
    write_axes(out, scale)?;
    // Smokers are drawn last because they are fewer and would be covered.
    for smoker in [false, true] {
        writeln!(out, "<g class=\"{}\">", class(smoker))?;
        for (row, predicted) in rows.iter().zip(predicted) {
            if row.input.smoker == smoker {
                write_mark(out, smoker, scale.x(row.charges), scale.y(*predicted))?;
            }
        }
        writeln!(out, "</g>")?;
    }
    writeln!(out, "</svg>")
}

fn write_heading(out: &mut String, rows: &[Row], scores: &Scores) -> fmt::Result {
    let Scores { r2, rmse, mae } = scores;
    let count = |smoker| rows.iter().filter(|row| row.input.smoker == smoker).count();
    let (rmse, mae) = (rmse.round(), mae.round());
    let middle = WIDTH / 2.0;
    writeln!(
        out,
        "<text id=\"title\" class=\"title middle\" x=\"{middle}\" y=\"36\">\
         Insurance charges: predicted against actual</text>"
    )?;
    writeln!(
        out,
        "<text id=\"summary\" class=\"middle\" x=\"{middle}\" y=\"61\">{} test rows, \
         r² = {r2:.3}, RMSE US$ {rmse}, MAE US$ {mae}</text>",
        rows.len()
    )?;

    let y = 88.0;
    for (smoker, x, label) in [(false, 166.0, "non-smokers"), (true, 340.0, "smokers")] {
        writeln!(out, "<g class=\"{}\">", class(smoker))?;
        write_mark(out, smoker, x, y)?;
        let (x, y) = (x + 11.0, y + 5.0);
        writeln!(out, "</g>\n<text x=\"{x}\" y=\"{y}\">{label} ({})</text>", count(smoker))?;
    }
    let (start, end, text) = (474.0, 504.0, 511.0);
    writeln!(out, "<path class=\"identity\" d=\"M{start} {y}H{end}\"/>")?;
    writeln!(out, "<text x=\"{text}\" y=\"{}\">perfect prediction</text>", y + 5.0)
}

fn write_axes(out: &mut String, scale: Scale) -> fmt::Result {
    let (right, bottom) = (LEFT + SIDE, TOP + SIDE);
    let mut dollars = 0.0;
    while dollars <= scale.end {
        let (x, y, label) = (scale.x(dollars), scale.y(dollars), dollars / 1000.0);
        writeln!(out, "<path class=\"grid\" d=\"M{x:.1} {TOP}V{bottom}M{LEFT} {y:.1}H{right}\"/>")?;
        let below = bottom + 20.0;
        writeln!(out, "<text class=\"middle\" x=\"{x:.1}\" y=\"{below}\">{label}</text>")?;
        let (beside, lower) = (LEFT - 9.0, y + 5.0);
        writeln!(out, "<text class=\"end\" x=\"{beside}\" y=\"{lower:.1}\">{label}</text>")?;
        dollars += STEP;
    }
    writeln!(out, "<path class=\"identity\" d=\"M{LEFT} {bottom}L{right} {TOP}\"/>")?;
    let (x, y) = (LEFT + SIDE / 2.0, bottom + 46.0);
    writeln!(
        out,
        "<text class=\"axis middle\" x=\"{x}\" y=\"{y}\">Actual charges (thousand US$)</text>"
    )?;
    let (x, y) = (30.0, TOP + SIDE / 2.0);
    writeln!(
        out,
        "<text class=\"axis middle\" transform=\"translate({x} {y}) rotate(-90)\">\
         Predicted charges (thousand US$)</text>"
    )
}

/// Draws a diamond for a smoker and a circle for a non-smoker.
fn write_mark(out: &mut String, smoker: bool, x: f64, y: f64) -> fmt::Result {
    if smoker {
        let (top, r) = (y - 5.0, 5.0);
        writeln!(out, "<path d=\"M{x:.1} {top:.1}l{r} {r}l-{r} {r}l-{r} -{r}z\"/>")
    } else {
        writeln!(out, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>")
    }
}

const fn class(smoker: bool) -> &'static str {
    if smoker { "yes" } else { "no" }
}

/// Conversion of dollars to coordinates.
#[derive(Clone, Copy)]
struct Scale {
    /// Dollars at the end of both axes.
    end: f64,
}

impl Scale {
    fn x(self, dollars: f64) -> f64 {
        LEFT + SIDE * dollars / self.end
    }

    fn y(self, dollars: f64) -> f64 {
        TOP + SIDE - SIDE * dollars / self.end
    }
}
