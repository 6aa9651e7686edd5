//! A terminal of a given size: the real binary runs in it, and what a person would see is read from its screen.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::{PATIENCE, Scratch};

/// A terminal with a program in it, which is killed when dropped.
pub struct Terminal {
    child: Child,
    screen: Arc<Mutex<vt100::Parser>>,
    /// Everything that the terminal was sent.
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: Option<thread::JoinHandle<()>>,
    columns: u16,
    _home: Scratch,
}

impl Terminal {
    /// `incident ARGS…` on a terminal of 300 rows without colours.
    pub fn run(columns: u16, args: &[&str]) -> Self {
        Self::with(columns, args, &[("TERM", "xterm-256color")])
    }

    /// The same with variables.
    pub fn with(columns: u16, args: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::started(columns, args, variables, "--color never")
    }

    /// The same in colours, and without a variable.
    pub fn in_colors(columns: u16, args: &[&str]) -> Self {
        Self::started(columns, args, &[("TERM", "xterm-256color")], "")
    }

    /// On a terminal of so few rows that not everything may fit.
    pub fn of_rows(rows: u16, columns: u16, args: &[&str]) -> Self {
        Self::of_size(rows, columns, args, &[("TERM", "xterm-256color")], "--color never")
    }

    fn started(columns: u16, args: &[&str], variables: &[(&str, &str)], last: &str) -> Self {
        Self::of_size(300, columns, args, variables, last)
    }

    fn of_size(rows: u16, columns: u16, args: &[&str], variables: &[(&str, &str)], last: &str) -> Self {
        let home = Scratch::new();
        let of = |size: u16| std::num::NonZero::new(size).unwrap();
        let quoted: Vec<String> = args.iter().map(|arg| format!("'{arg}'")).collect();
        // `script` (bsdutils, a part of every Debian) opens the terminal.
        let inside = format!(
            "stty cols {columns} rows {rows}; exec '{}' {} {last}",
            env!("CARGO_BIN_EXE_incident"),
            quoted.join(" ")
        );
        let mut command = Command::new("script");
        command
            .args(["-qec", &inside, "/dev/null"])
            .env("HOME", home.path())
            .env("XDG_STATE_HOME", home.path());
        command.env("SHELL", "/bin/sh").env_remove("INCIDENT_URL").env_remove("INCIDENT_TOKEN");
        command.envs(variables.iter().copied()).current_dir(home.path());
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let screen = Arc::new(Mutex::new(vt100::Parser::new(of(rows), of(columns), 0)));
        let (mut output, shared) = (child.stdout.take().unwrap(), Arc::clone(&screen));
        let bytes = Arc::<Mutex<Vec<u8>>>::default();
        let kept = Arc::clone(&bytes);
        let reader = thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut piece) {
                kept.lock().unwrap().extend(&piece[..length]);
                shared.lock().unwrap().process(&piece[..length]);
            }
        });
        Self { child, screen, bytes, reader: Some(reader), columns, _home: home }
    }

    /// What is on the screen now, without the empty rows at its end and the spaces at the end of rows.
    pub fn text(&self) -> String {
        // Row by row: `contents` would join a row that ends at the border with the next.
        let parser = self.screen.lock().unwrap();
        let rows = parser.screen().rows(0, self.columns);
        let rows: Vec<String> = rows.map(|row| row.trim_end().to_owned()).collect();
        rows.join("\n").trim_end().to_owned()
    }

    /// Waits until the screen has this text.
    pub fn shows(&self, text: &str) -> String {
        let began = Instant::now();
        loop {
            let seen = self.text();
            if seen.contains(text) {
                return seen;
            }
            assert!(began.elapsed() < PATIENCE, "{text:?} is not on the screen:\n{seen}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the screen has none of these texts.
    pub fn lacks(&self, texts: &[&str]) {
        let began = Instant::now();
        while texts.iter().any(|text| self.text().contains(text)) {
            assert!(began.elapsed() < PATIENCE, "{texts:?} stay on the screen:\n{}", self.text());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Makes the terminal narrower or wider while the program runs. As xterm does, it cuts the lines that are too wide.
    pub fn resize(&mut self, columns: u16) {
        self.tell(columns);
        let of = |size: u16| std::num::NonZero::new(size).unwrap();
        self.columns = columns;
        self.screen.lock().unwrap().screen_mut().set_size(of(300), of(columns));
    }

    /// The same of a terminal that breaks anew the lines that the program has written, as nearly all do.
    pub fn break_at(&mut self, columns: u16) {
        let shared = Arc::clone(&self.screen);
        let mut screen = shared.lock().unwrap();
        self.tell(columns);
        let of = |size: u16| std::num::NonZero::new(size).unwrap();
        let mut broken = vt100::Parser::new(of(300), of(columns), 0);
        let (last, column) = screen.screen().cursor_position();
        for (row, text) in (0..=last).zip(screen.screen().rows(0, self.columns)) {
            broken.process(text.as_bytes());
            if row < last && !screen.screen().row_wrapped(row) {
                broken.process(b"\r\n");
            }
            // The cursor stays with its character.
            if row == last && column == 0 {
                let above = console::measure_text_width(&text).saturating_sub(1) / usize::from(columns);
                broken.process(format!("\r{}", "\u{1b}[A".repeat(above)).as_bytes());
            }
        }
        *screen = broken;
        self.columns = columns;
    }

    /// The program in the terminal.
    fn inside(&self) -> u32 {
        let id = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        children.trim().parse().unwrap()
    }

    /// Tells the program the columns.
    fn tell(&self, columns: u16) {
        let terminal = std::fs::read_link(format!("/proc/{}/fd/2", self.inside())).unwrap();
        let mut stty = Command::new("stty");
        stty.arg("-F").arg(terminal).args(["cols", &columns.to_string()]);
        assert!(stty.status().unwrap().success());
    }

    /// Presses ctrl-c.
    pub fn interrupt(&mut self) {
        use std::io::Write;
        self.child.stdin.as_mut().unwrap().write_all(b"\x03").unwrap();
    }

    /// Closes the terminal, and waits for the end of the program.
    pub fn close(mut self) {
        let program = format!("/proc/{}/stat", self.inside());
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let began = Instant::now();
        // Where nobody waits for orphans, it stays as a zombie.
        while std::fs::read_to_string(&program).is_ok_and(|state| !state.contains(") Z ")) {
            assert!(began.elapsed() < PATIENCE, "it does not end");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits for the end. Returns everything that the terminal was sent.
    pub fn end_with_bytes(mut self) -> Vec<u8> {
        let began = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(began.elapsed() < PATIENCE, "it does not end:\n{}", self.text());
            thread::sleep(Duration::from_millis(10));
        }
        self.reader.take().unwrap().join().unwrap();
        std::mem::take(&mut *self.bytes.lock().unwrap())
    }

    /// Waits for the end. Returns the exit status and the screen.
    pub fn end(mut self) -> (Option<i32>, String) {
        let status = self.child.wait().unwrap().code();
        self.reader.take().unwrap().join().unwrap();
        (status, self.text())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
