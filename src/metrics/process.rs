//! The process as the kernel sees it, from `/proc`. On other systems there is
//! nothing to see. The names of the series are those that every Prometheus
//! client has.

use std::fs;

use crate::metrics::page::Page;

/// One look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Process {
    pub cpu_ms: u64,
    pub resident_bytes: u64,
    pub virtual_bytes: u64,
    pub threads: u64,
    /// Milliseconds since 1970.
    pub started_at_ms: u64,
}

/// `sysconf(_SC_CLK_TCK)`: 100 on every Linux that Rust runs on.
const TICKS_PER_SECOND: u64 = 100;

impl Process {
    /// `None` where there is no `/proc`.
    pub fn look() -> Option<Self> {
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let machine = fs::read_to_string("/proc/stat").ok()?;
        Self::read(&stat, &status, &machine)
    }

    fn read(stat: &str, status: &str, machine: &str) -> Option<Self> {
        // The second field is the name, which may hold anything but is the
        // only one in parentheses. proc(5) counts from 1; the next is 3.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        let boot_s: u64 =
            machine.lines().find_map(|line| line.strip_prefix("btime "))?.parse().ok()?;
        let to_ms = |ticks: u64| ticks.saturating_mul(1_000 / TICKS_PER_SECOND);
        Some(Self {
            cpu_ms: to_ms(field(14)? + field(15)?),
            resident_bytes: kilobytes(status, "VmRSS:")? * 1_024,
            virtual_bytes: field(23)?,
            threads: field(20)?,
            started_at_ms: boot_s.saturating_mul(1_000) + to_ms(field(22)?),
        })
    }

    pub(super) fn write(page: &mut Page) {
        if let Some(look) = Self::look() {
            page.counter("process_cpu_seconds", "Processor time used.");
            page.sample(&[], look.cpu_ms as f64 / 1e3);
            page.gauge("process_resident_memory_bytes", "Memory in use.");
            page.sample(&[], look.resident_bytes);
            page.gauge("process_virtual_memory_bytes", "Address space in use.");
            page.sample(&[], look.virtual_bytes);
            page.gauge("process_threads", "Threads.");
            page.sample(&[], look.threads);
            page.gauge("process_start_time_seconds", "Since 1970.");
            page.sample(&[], look.started_at_ms as f64 / 1e3);
        }
        if let Some((open, max)) = file_descriptors() {
            page.gauge("process_open_fds", "Open file descriptors.");
            page.sample(&[], open);
            page.gauge("process_max_fds", "As many may be open.");
            page.sample(&[], max);
        }
    }
}

/// How many are open, and how many may be.
fn file_descriptors() -> Option<(u64, u64)> {
    // Without the one that reads the folder.
    let open = fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1);
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    Some((open as u64, line.split_whitespace().next()?.parse().ok()?))
}

fn kilobytes(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_those_of_the_manual() {
        let stat = "42 (a ) b) S 1 42 42 0 -1 4194304 2 0 0 0 150 50 0 0 20 0 8 0 1000 4096 7 0";
        let status = "Name:\ta ) b\nVmRSS:\t     100 kB\n";
        let expected = Process {
            cpu_ms: 2_000,
            resident_bytes: 102_400,
            virtual_bytes: 4_096,
            threads: 8,
            started_at_ms: 1_700_000_010_000,
        };
        assert_eq!(Process::read(stat, status, "cpu 1\nbtime 1700000000\n"), Some(expected));
        assert_eq!(Process::read("", status, ""), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_can_be_seen() {
        let look = Process::look().expect("a look");
        assert!(0 < look.resident_bytes && 0 < look.threads);
        let (open, max) = file_descriptors().expect("descriptors");
        assert!(0 < open && open <= max);
    }
}
