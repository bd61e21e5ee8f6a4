//! The most memory that this program has held.

/// Bytes of physical memory at its peak, where the system tells: on Linux.
pub(super) fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    kilobytes(&status, "VmHWM:").map(|kilobytes| kilobytes << 10)
}

/// The value of a line such as `VmHWM:     1234 kB`.
fn kilobytes(status: &str, key: &str) -> Option<u64> {
    let rest = status.lines().find_map(|line| line.strip_prefix(key))?;
    rest.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_found_among_others() {
        let status = "Name:\tganvas\nVmPeak:\t  900 kB\nVmHWM:\t    1234 kB\nThreads:\t3\n";
        assert_eq!(kilobytes(status, "VmHWM:"), Some(1234));
        assert_eq!(kilobytes(status, "VmSwap:"), None);
        assert_eq!(kilobytes("VmHWM:\tmuch\n", "VmHWM:"), None);
    }
}
