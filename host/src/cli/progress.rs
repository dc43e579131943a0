//! That a long command is at work: on standard error, where a person looks at it.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Often enough to be seen moving.
const TICK: Duration = Duration::from_millis(120);

/// What a command that takes long shows. Gone when it is dropped.
pub(super) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Of something that nobody knows the length of.
    pub(super) fn waiting(what: &str, json: bool) -> Self {
        Self::new(what, None, json, "{spinner} {msg} {elapsed}")
    }

    /// Of bytes that come; how many, nobody knows.
    pub(super) fn coming(what: &str, json: bool) -> Self {
        let template = "{spinner} {msg} {decimal_bytes} ({decimal_bytes_per_sec}) {elapsed}";
        Self::new(what, None, json, template)
    }

    /// Of so many bytes that go.
    pub(super) fn going(what: &str, bytes: u64, json: bool) -> Self {
        let template = "{msg} [{bar:30}] {decimal_bytes}/{decimal_total_bytes} {elapsed}";
        Self::new(what, Some(bytes), json, template)
    }

    fn new(what: &str, bytes: Option<u64>, json: bool, template: &str) -> Self {
        let wanted = wanted(
            std::io::stderr().is_terminal(),
            std::io::stdout().is_terminal(),
            json,
        );
        let target = match wanted {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(bytes, target).with_message(what.to_owned());
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        if wanted {
            bar.enable_steady_tick(TICK);
        }
        Self { bar }
    }

    /// So many bytes more. All that were to go: now it is the gateway's turn.
    pub(super) fn add(&self, bytes: usize) {
        self.bar.inc(u64::try_from(bytes).unwrap_or(0));
        if self.bar.length() == Some(self.bar.position()) {
            self.bar.set_message("the gateway looks at it");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Not where a program reads what comes, and not into a file.
fn wanted(error_is_terminal: bool, output_is_terminal: bool, json: bool) -> bool {
    error_is_terminal && (output_is_terminal || !json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_shown_to_people_alone() {
        assert!(wanted(true, true, false));
        assert!(wanted(true, false, false), "what is printed goes to a file");
        assert!(wanted(true, true, true));
        assert!(!wanted(true, false, true), "a program reads it");
        for (output, json) in [(true, true), (true, false), (false, false)] {
            assert!(!wanted(false, output, json));
        }
    }

    #[test]
    fn its_forms_can_be_drawn() {
        for progress in [
            Progress::waiting("a", false),
            Progress::coming("b", false),
            Progress::going("c", 3, false),
        ] {
            progress.add(3);
        }
        let going = Progress::going("c", 3, false);
        going.add(2);
        assert_eq!(going.bar.message(), "c");
        going.add(1);
        assert_eq!(going.bar.message(), "the gateway looks at it");
    }
}
