//! Charts as SVG: panels with bars or curves.
//!
//! The crate writes the SVG without a plotting library: a chart follows the light or dark theme of the
//! viewer, uses the system's sans-serif font, and is deterministic.

use std::fmt::{self, Write};

/// Each series has a colour and is named in the chart.
const STYLE: &str = "
  text { font-family: system-ui, sans-serif; font-size: 13px; fill: #5b6773; }
  .card { fill: #ffffff; stroke: #e3e8ed; }
  .title { font-size: 19px; font-weight: 600; fill: #1f2933; }
  .name { font-size: 14px; font-weight: 600; fill: #1f2933; }
  .grid { stroke: #e3e8ed; }
  .end { text-anchor: end; }
  .middle { text-anchor: middle; }
  .line { fill: none; stroke-width: 2; }
  .f0 { fill: #0072b2; } .s0 { stroke: #0072b2; }
  .f1 { fill: #d55e00; } .s1 { stroke: #d55e00; }
  .f2 { fill: #7b8794; } .s2 { stroke: #7b8794; }
  @media (prefers-color-scheme: dark) {
    text { fill: #9aa7b4; }
    .card { fill: #161b22; stroke: #2b333d; }
    .title, .name { fill: #e6edf3; }
    .grid { stroke: #2b333d; }
    .f0 { fill: #56b4e9; } .s0 { stroke: #56b4e9; }
    .f1 { fill: #ff9d4d; } .s1 { stroke: #ff9d4d; }
    .f2 { fill: #8b98a5; } .s2 { stroke: #8b98a5; }
  }
";

const PANEL_WIDTH: f64 = 420.0;
const PANEL_HEIGHT: f64 = 290.0;
const HEADING: f64 = 70.0;
const MARGIN: f64 = 20.0;

/// A chart: a title above panels, two in a row.
#[derive(Debug)]
pub struct Picture {
    /// Title of the chart.
    pub title: &'static str,
    /// How the values were measured.
    pub summary: String,
    /// Panels, two in a row.
    pub panels: Vec<Panel>,
}

/// Part of a chart with its own axes.
#[derive(Debug)]
pub struct Panel {
    /// Measured quantity with its unit.
    pub name: &'static str,
    /// Values of the panel.
    pub content: Content,
}

/// Content of a panel.
#[derive(Debug)]
pub enum Content {
    /// Bars, each with its name, value and label.
    Bars(Vec<(String, f64, String)>),
    /// Curves with the same axes.
    Curves {
        /// Name of the horizontal axis.
        x: &'static str,
        /// Scale of the horizontal axis.
        scale: Scale,
        /// Curves in the order of their colours.
        curves: Vec<Curve>,
    },
}

/// Scale of an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale {
    /// Equal distances are equal differences.
    Linear,
    /// Equal distances are equal ratios.
    Logarithmic,
}

/// A curve.
#[derive(Debug)]
pub struct Curve {
    /// Name in the legend.
    pub name: String,
    /// Points from left to right.
    pub points: Vec<(f64, f64)>,
    /// Whether each point has a mark; hundreds of marks would overlap.
    pub has_marks: bool,
}

impl fmt::Display for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.panels.len().min(2);
        let rows = self.panels.len().div_ceil(2);
        let width = columns as f64 * PANEL_WIDTH + 2.0 * MARGIN;
        let panel_height = self.panels.iter().map(Panel::height).fold(0.0, f64::max);
        let height = rows as f64 * panel_height + HEADING + MARGIN;
        writeln!(
            f,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             role=\"img\" aria-labelledby=\"title summary\">\n<style>{STYLE}</style>"
        )?;
        // The card keeps the chart independent of the page's background.
        let (inner_width, inner_height) = (width - 1.0, height - 1.0);
        writeln!(
            f,
            "<rect class=\"card\" x=\"0.5\" y=\"0.5\" width=\"{inner_width}\" \
             height=\"{inner_height}\" rx=\"10\"/>"
        )?;
        let middle = width / 2.0;
        let (title, summary) = (self.title, &self.summary);
        writeln!(
            f,
            "<text id=\"title\" class=\"title middle\" x=\"{middle}\" y=\"32\">{title}</text>"
        )?;
        writeln!(
            f,
            "<text id=\"summary\" class=\"middle\" x=\"{middle}\" y=\"54\">{summary}</text>"
        )?;
        for (index, panel) in self.panels.iter().enumerate() {
            let x = MARGIN + (index % 2) as f64 * PANEL_WIDTH;
            let y = HEADING + (index / 2) as f64 * panel_height;
            writeln!(f, "<g transform=\"translate({x} {y})\">\n{panel}</g>")?;
        }
        writeln!(f, "</svg>")
    }
}

impl Panel {
    fn height(&self) -> f64 {
        match &self.content {
            Content::Bars(bars) => 50.0 + bar_distance(bars.len()) * bars.len() as f64,
            Content::Curves { .. } => PANEL_HEIGHT,
        }
    }
}

/// Returns the distance between the tops of neighbouring bars. Many bars are thinner.
fn bar_distance(bars: usize) -> f64 {
    if bars <= 4 { 60.0 } else { 30.0 }
}

impl fmt::Display for Panel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "<text class=\"name\" x=\"16\" y=\"24\">{}</text>", self.name)?;
        match &self.content {
            Content::Bars(bars) => write_bars(f, bars),
            Content::Curves { x, scale, curves } => write_curves(f, x, *scale, curves),
        }
    }
}

fn write_bars(f: &mut fmt::Formatter<'_>, bars: &[(String, f64, String)]) -> fmt::Result {
    const LONGEST: f64 = 170.0;
    let longest_name = bars.iter().map(|(name, _, _)| name.chars().count()).max().unwrap_or(0);
    let left = (20.0 + 6.6 * longest_name as f64).max(90.0);
    let distance = bar_distance(bars.len());
    let thickness = distance * 0.6;
    let largest = bars.iter().map(|(_, value, _)| *value).fold(0.0, f64::max);
    for (index, (name, value, label)) in bars.iter().enumerate() {
        let y = 50.0 + index as f64 * distance;
        // A minimum length keeps small bars visible.
        let length = (LONGEST * value / largest).max(1.5);
        let text_y = y + thickness / 2.0 + 6.0;
        let (name_x, label_x) = (left - 8.0, left + length + 8.0);
        let colour = colour(index);
        writeln!(f, "<text class=\"end\" x=\"{name_x}\" y=\"{text_y}\">{name}</text>")?;
        writeln!(
            f,
            "<rect class=\"f{colour}\" x=\"{left}\" y=\"{y}\" width=\"{length:.1}\" height=\"{thickness}\" rx=\"3\"/>"
        )?;
        writeln!(f, "<text x=\"{label_x:.1}\" y=\"{text_y}\">{label}</text>")?;
    }
    Ok(())
}

fn write_curves(
    f: &mut fmt::Formatter<'_>,
    x_name: &str,
    scale: Scale,
    curves: &[Curve],
) -> fmt::Result {
    const LEFT: f64 = 62.0;
    const RIGHT: f64 = PANEL_WIDTH - 24.0;
    const TOP: f64 = 62.0;
    const BOTTOM: f64 = PANEL_HEIGHT - 58.0;
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let largest = points().map(|(_, y)| *y).fold(0.0, f64::max);
    let (first, last) =
        points().fold((f64::MAX, f64::MIN), |(low, high), (x, _)| (low.min(*x), high.max(*x)));
    let step = step(largest);
    let end = (largest / step).ceil().max(1.0) * step;
    let place = |x: f64| match scale {
        Scale::Linear => x,
        Scale::Logarithmic => x.log2(),
    };
    let across = |x: f64| {
        LEFT + (RIGHT - LEFT) * (place(x) - place(first)) / (place(last) - place(first)).max(1e-9)
    };
    let up = |y: f64| BOTTOM - (BOTTOM - TOP) * y / end;

    let mut y = 0.0;
    while y <= end * 1.001 {
        let (line, text) = (up(y), up(y) + 4.0);
        writeln!(f, "<path class=\"grid\" d=\"M{LEFT} {line:.1}H{RIGHT}\"/>")?;
        let beside = LEFT - 8.0;
        let label = number(y);
        writeln!(f, "<text class=\"end\" x=\"{beside}\" y=\"{text:.1}\">{label}</text>")?;
        y += step;
    }
    let mut marks: Vec<f64> = match curves.first() {
        Some(curve) if curve.has_marks => curve.points.iter().map(|(x, _)| *x).collect(),
        _ => (0..=5).map(|mark| last * f64::from(mark) / 5.0).collect(),
    };
    // Labels that would touch the one to their left are left out.
    let mut free = f64::MIN;
    marks.retain(|x| {
        let fits = across(*x) >= free;
        if fits {
            free = across(*x) + 26.0;
        }
        fits
    });
    for x in marks {
        let (place, below, label) = (across(x), BOTTOM + 18.0, number(x));
        writeln!(f, "<text class=\"middle\" x=\"{place:.1}\" y=\"{below}\">{label}</text>")?;
    }
    let (middle, below) = (f64::midpoint(LEFT, RIGHT), BOTTOM + 40.0);
    writeln!(f, "<text class=\"middle\" x=\"{middle}\" y=\"{below}\">{x_name}</text>")?;

    let mut legend = 16.0;
    for (index, curve) in curves.iter().enumerate() {
        let colour = colour(index);
        let mut path = String::new();
        for (index, (x, y)) in curve.points.iter().enumerate() {
            let command = if index == 0 { 'M' } else { 'L' };
            write!(path, "{command}{:.1} {:.1}", across(*x), up(*y))?;
        }
        writeln!(f, "<path class=\"line s{colour}\" d=\"{path}\"/>")?;
        if curve.has_marks {
            for (x, y) in &curve.points {
                let (x, y) = (across(*x), up(*y));
                writeln!(f, "<circle class=\"f{colour}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\"/>")?;
            }
        }
        writeln!(f, "<path class=\"line s{colour}\" d=\"M{legend} 42h22\"/>")?;
        let (text, name) = (legend + 28.0, &curve.name);
        writeln!(f, "<text x=\"{text}\" y=\"46\">{name}</text>")?;
        legend += 46.0 + 6.8 * curve.name.chars().count() as f64;
    }
    Ok(())
}

const fn colour(index: usize) -> usize {
    if index < 2 { index } else { 2 }
}

/// Returns the distance of grid lines: 1, 2 or 5 times a power of ten, for three to six lines.
fn step(largest: f64) -> f64 {
    let rough = (largest / 5.0).max(f64::MIN_POSITIVE);
    let power = 10_f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= rough);
    factor.unwrap_or(10.0) * power
}

/// Formats a number with few digits, in groups of three.
#[must_use]
pub fn number(value: f64) -> String {
    let decimals = if value == value.round() || value >= 100.0 {
        0
    } else if value >= 1.0 {
        1
    } else {
        2
    };
    let text = format!("{value:.decimals$}");
    let digits = text.find('.').unwrap_or(text.len());
    let mut grouped = String::new();
    for (index, character) in text.chars().enumerate() {
        if index > 0 && index < digits && (digits - index).is_multiple_of(3) {
            // A narrow no-break space.
            grouped.push('\u{202f}');
        }
        grouped.push(character);
    }
    grouped
}
