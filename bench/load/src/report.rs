//! The table.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::figures::{Figures, Metric};
use crate::scenario::Scenario;
use crate::target::Kind;

/// Every figure that was measured, run after run.
#[derive(Default)]
pub(crate) struct Report {
    runs: BTreeMap<(Scenario, Metric, Kind), Vec<f64>>,
    notes: Vec<String>,
}

impl Report {
    pub(crate) fn add(&mut self, scenario: Scenario, kind: Kind, figures: Figures) {
        for (metric, value) in figures.values {
            self.runs.entry((scenario, metric, kind)).or_default().push(value);
        }
    }

    /// What is to be known beside the figures.
    pub(crate) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// In Markdown: medians, the range of the runs in brackets, and how many
    /// times the first column's median that is; the notes below.
    pub(crate) fn markdown(&self) -> String {
        let kinds: BTreeSet<Kind> = self.runs.keys().map(|(_, _, kind)| *kind).collect();
        let rows: BTreeSet<(Scenario, Metric)> =
            self.runs.keys().map(|(scenario, metric, _)| (*scenario, *metric)).collect();
        let mut table = "| scenario | |".to_owned();
        for kind in &kinds {
            let _ = write!(table, " {} |", kind.name());
        }
        let _ = writeln!(table, "\n|---|---|{}", "---|".repeat(kinds.len()));
        let mut last = None;
        for (scenario, metric) in rows {
            let name = if last == Some(scenario) { String::new() } else { scenario.name() };
            last = Some(scenario);
            let _ = write!(table, "| {name} | {} |", metric.name());
            let first = kinds.first().and_then(|kind| self.median(scenario, metric, *kind));
            for kind in &kinds {
                let others = first.filter(|_| kinds.first() != Some(kind));
                let cell = self.cell(scenario, metric, *kind, others);
                let _ = write!(table, " {cell} |");
            }
            table.push('\n');
        }
        for note in &self.notes {
            let _ = write!(table, "\n* {note}");
        }
        table
    }

    fn cell(&self, scenario: Scenario, metric: Metric, kind: Kind, first: Option<f64>) -> String {
        let Some(median) = self.median(scenario, metric, kind) else { return "–".to_owned() };
        let runs = self.runs.get(&(scenario, metric, kind)).map_or(&[][..], Vec::as_slice);
        let (low, high) = runs
            .iter()
            .fold((f64::MAX, f64::MIN), |(low, high), run| (low.min(*run), high.max(*run)));
        let mut cell = shown(median);
        if 1 < runs.len() && low < high {
            let _ = write!(cell, " ({}–{})", shown(low), shown(high));
        }
        if metric.has_ratio()
            && let Some(first) = first
            && 0.0 < first
        {
            let _ = write!(cell, " ×{}", shown(median / first));
        }
        cell
    }

    fn median(&self, scenario: Scenario, metric: Metric, kind: Kind) -> Option<f64> {
        let mut runs = self.runs.get(&(scenario, metric, kind))?.clone();
        runs.sort_unstable_by(f64::total_cmp);
        let middle = runs.len() / 2;
        let upper = *runs.get(middle)?;
        if runs.len().is_multiple_of(2) {
            return Some((runs.get(middle - 1)? + upper) / 2.0);
        }
        Some(upper)
    }
}

/// To three digits.
fn shown(value: f64) -> String {
    match value.abs() {
        size if 100.0 <= size || value.fract() == 0.0 => {
            let whole = format!("{value:.0}");
            let split = whole.len().checked_sub(3).filter(|at| 0 < *at && !whole.starts_with('-'));
            match split {
                Some(at) if whole.len() <= 6 => format!("{},{}", &whole[..at], &whole[at..]),
                Some(at) => format!("{},{},{}", &whole[..at - 3], &whole[at - 3..at], &whole[at..]),
                None => whole,
            }
        }
        size if 10.0 <= size => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_has_median_range_and_ratio() {
        let mut report = Report::default();
        let mut add = |kind, value| {
            let mut figures = Figures::default();
            figures.insert(Metric::CpuPerDelivery, value);
            report.add(Scenario::Closed, kind, figures);
        };
        for value in [2.0, 4.0, 3.0] {
            add(Kind::Embedded, value);
        }
        add(Kind::Floor, 1.5);
        let table = report.markdown();
        assert!(
            table.contains("| closed | server CPU µs per delivery | 1.50 | 3 (2–4) ×2 |"),
            "{table}"
        );
    }

    #[test]
    fn thousands_are_marked() {
        assert_eq!(shown(1_234_567.0), "1,234,567");
        assert_eq!(shown(12_345.6), "12,346");
        assert_eq!(shown(999.0), "999");
    }
}
