//! Machines of a network of their own, between which a test pulls the cables: network namespaces on two bridges. They are gone
//! when the test's process is, however it ends.

use std::io::{BufRead, BufReader};
use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A process that holds a network and a mount namespace until it is dropped.
struct Holder(Child);

impl Holder {
    fn new() -> Self {
        let mut child = Command::new("unshare")
            .args(["--net", "--mount", "sh", "-c", "echo ready; read _"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(
            line, "ready\n",
            "this test needs network namespaces: run it as root, where `unshare --net` is allowed"
        );
        Self(child)
    }

    fn id(&self) -> u32 {
        self.0.id()
    }

    /// What runs a command in here.
    fn enter(&self) -> Vec<String> {
        let id = self.id().to_string();
        ["nsenter", "--net", "--mount", "--target", &id].map(str::to_owned).into()
    }

    fn run(&self, script: &str) {
        let enter = self.enter();
        run(Command::new(&enter[0]).args(&enter[1..]).args(["sh", "-ec", script]), script);
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn run(command: &mut Command, what: &str) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{what}: {said}; this test needs iproute2, root and network namespaces");
}

/// Some machines. Among themselves they are on one net, in which a test separates them; by the other net the test reaches
/// all of them all the time.
pub struct Machines {
    net: u32,
    switch: Holder,
    all: Vec<Holder>,
}

impl Machines {
    pub fn new(many: usize) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        // The nets of another test run of this machine are left alone.
        let net = (std::process::id().wrapping_mul(7) + NEXT.fetch_add(1, Ordering::Relaxed)) % 250 + 1;
        let switch = Holder::new();
        switch.run(
            "for bridge in near far out; do ip link add $bridge type bridge; ip link set $bridge up; done",
        );
        let machines: Vec<_> = (0..many).map(|_| Holder::new()).collect();
        let made = Self { net, switch, all: machines };
        let (switch, link) = (made.switch.id(), format!("inc{net}"));
        let script = format!(
            "ip link add {link} type veth peer name test netns {switch}; ip addr add 10.231.{net}.254/24 dev {link}; \
             ip link set {link} up"
        );
        run(Command::new("sh").args(["-ec", &script]), &script);
        made.switch.run("ip link set test master out up");
        for (number, machine) in made.all.iter().enumerate() {
            made.switch.run(&format!(
                "for net in in out; do ip link add ${{net}}{number} type veth peer name $net netns {id}; done; \
                 ip link set in{number} master near up; ip link set out{number} master out up",
                id = machine.id()
            ));
            machine.run(&format!(
                "ip addr add {}/24 dev in; ip addr add {}/24 dev out; \
                 for link in lo in out; do ip link set $link up; done",
                made.inner(number),
                made.outer(number)
            ));
        }
        made
    }

    /// The address of a machine among the others.
    pub fn inner(&self, number: usize) -> Ipv4Addr {
        Ipv4Addr::new(10, 230, self.net as u8, number as u8 + 1)
    }

    /// Its address for the test.
    pub fn outer(&self, number: usize) -> Ipv4Addr {
        Ipv4Addr::new(10, 231, self.net as u8, number as u8 + 1)
    }

    /// What runs a command on a machine.
    pub fn enter(&self, number: usize) -> Vec<String> {
        self.all[number].enter()
    }

    /// Runs a script on a machine.
    pub fn run(&self, number: usize, script: &str) {
        self.all[number].run(script);
    }

    /// These machines reach each other and none of the others, and the others none of them.
    pub fn separate(&self, those: &[usize]) {
        for number in those {
            self.switch.run(&format!("ip link set in{number} master far"));
        }
    }

    /// All reach all.
    pub fn join(&self) {
        for number in 0..self.all.len() {
            self.switch.run(&format!("ip link set in{number} master near"));
        }
    }
}
