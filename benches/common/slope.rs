//! How a figure grows with a size, as the exponent of a power.

use super::report::Row;

/// The slope of the straight line with the least squares through the logarithms of the points, each a size and a figure: 0 is a
/// figure that does not grow, 1 is linear, 2 quadratic.
pub(crate) fn of(points: &[(f64, f64)]) -> f64 {
    let points: Vec<(f64, f64)> =
        points.iter().map(|(size, figure)| (size.ln(), figure.max(f64::MIN_POSITIVE).ln())).collect();
    let count = points.len() as f64;
    let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / count;
    let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / count;
    let both: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let square: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    both / square
}

/// A figure at each of some sizes, and how it grows.
pub(crate) struct Growth {
    name: &'static str,
    unit: &'static str,
    points: Vec<(f64, f64)>,
}

impl Growth {
    pub(crate) fn new(name: &'static str, unit: &'static str) -> Self {
        Self { name, unit, points: Vec::new() }
    }

    pub(crate) fn at(&mut self, size: f64, figure: f64) {
        self.points.push((size, figure));
    }

    /// The figures as the values of a row, from the smallest size to the largest, and the slope.
    pub(crate) fn rows(self, slope: &'static str, goal: super::report::Goal) -> [Row; 2] {
        let exponent = of(&self.points);
        let figures = self.points.into_iter().map(|(_, figure)| figure).collect();
        [Row::new(self.name, self.unit, figures), Row::single(slope, "", exponent).goal(goal)]
    }
}
