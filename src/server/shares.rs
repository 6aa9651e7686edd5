//! How the descriptors that the system allows are shared between clients and other connections.

use super::options::{Options, cores};
use super::serve_error::ServeError;

/// Descriptors besides those of connections: the journal and its readers, the listener, the log …
const OTHER_FILES: u64 = 72;

/// … and those of the threads of each core.
const FILES_PER_CORE: u64 = 4;

/// So many connections of each kind are let in even if the system hardly allows it.
const FEWEST: usize = 8;

/// Raises the limit of open files, usually 1,024, so that all connections of the options fit. If the hard limit is too low,
/// says so and gives the options with the shares that fit.
///
/// # Errors
/// Not even one client and a few requests fit.
pub(super) fn fit(options: Options) -> Result<Options, ServeError> {
    // The threads of the clients are as many as the cores, unless the options say how many.
    let cores = cores().max(options.client_threads());
    let wanted = Shares::of(&options);
    let allowed = match rlimit::increase_nofile_limit(wanted.files(cores)) {
        Ok(allowed) => allowed,
        Err(error) => {
            tracing::warn!(%error, "cannot raise the limit of open files");
            rlimit::Resource::NOFILE.get().map_or(u64::MAX, |(soft, _)| soft)
        }
    };
    let needed = Shares { clients: 1, waiting: FEWEST, served: FEWEST }.files(cores);
    if allowed < needed {
        return Err(ServeError::Files { allowed, needed });
    }
    let shares = wanted.within(allowed, cores);
    if shares != wanted {
        tracing::warn!(
            allowed,
            "only {allowed} open files are allowed: {} clients at once instead of --max-clients {}, and {} connections that wait for a \
             request; raise the hard limit (ulimit -Hn)",
            shares.clients,
            wanted.clients,
            shares.waiting
        );
    }
    let Shares { clients, waiting, served } = shares;
    Ok(Options { max_clients: clients, max_waiting: waiting, max_served: served, ..options })
}

/// How many descriptors clients and other connections may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shares {
    /// Clients of the stream.
    clients: u32,
    /// Connections that wait for a request.
    waiting: usize,
    /// Connections of which a request is served.
    served: usize,
}

impl Shares {
    /// What is wanted if the system allows it.
    fn of(options: &Options) -> Self {
        let Options { max_clients: clients, max_waiting: waiting, max_served: served, .. } = *options;
        Self { clients, waiting, served }
    }

    /// The descriptors that a server with these shares needs.
    fn files(self, cores: usize) -> u64 {
        u64::from(self.clients) + self.waiting as u64 + self.served as u64 + others(cores)
    }

    /// The same if `allowed` descriptors are enough, else smaller shares: clients get about half of what is there, so that
    /// requests are answered however many clients come.
    fn within(self, allowed: u64, cores: usize) -> Self {
        if allowed >= self.files(cores) {
            return self;
        }
        let left = allowed.saturating_sub(others(cores));
        let quarter = usize::try_from(left / 4).unwrap_or(usize::MAX);
        let waiting = self.waiting.min(quarter).max(FEWEST);
        let served = self.served.min(quarter).max(FEWEST);
        let clients = left.saturating_sub((waiting + served) as u64).max(1);
        Self { clients: u32::try_from(clients).unwrap_or(u32::MAX).min(self.clients), waiting, served }
    }
}

fn others(cores: usize) -> u64 {
    OTHER_FILES + FILES_PER_CORE * cores as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_fit_into_what_is_allowed() {
        let wanted = Shares::of(&Options::default());
        assert_eq!(wanted.within(100_000, 4), wanted);
        for allowed in [200, 256, 1_024, 4_096, 11_000] {
            let shares = wanted.within(allowed, 4);
            assert!(shares.files(4) <= allowed, "{allowed}: {shares:?}");
            assert!(
                shares.clients >= 50 && shares.waiting >= 25 && shares.served >= 25,
                "{allowed}: {shares:?}"
            );
        }
        let least = wanted.within(0, 4);
        assert_eq!(least, Shares { clients: 1, waiting: FEWEST, served: FEWEST });
        assert_eq!(Shares { clients: 5, ..wanted }.within(300, 2).clients, 5, "no more than asked for");
    }
}
