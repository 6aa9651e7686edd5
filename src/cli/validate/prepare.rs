//! Reads what the flags name before anything is checked, and refuses flags that do not go together.

use std::sync::Arc;

use anyhow::anyhow;

use super::args::Validate;
use super::link::Dial;
use super::stranger_args::StrangerArgs;
use crate::check::{Context, MustResolve, Profile, Resume};
use crate::cli::exit::{Exit, Failure};
use crate::client::{Endpoint, Endpoints, EndpointsError};

/// How the streams are read.
#[derive(Clone, Default)]
pub(super) struct ReadBy(Context);

impl ReadBy {
    /// The name of the profile of another program's stream.
    pub(super) fn foreign(&self) -> Option<&str> {
        self.0.profile.as_ref().map(|profile| profile.name.as_str())
    }

    /// Adds how the streams are read to a context.
    pub(super) fn add_to(&self, context: Context) -> Context {
        // A recording of another program may end anywhere.
        let must_resolve = match &self.0.profile {
            Some(_) => MustResolve::None,
            None => context.must_resolve,
        };
        Context {
            profile: self.0.profile.clone(),
            contract: self.0.contract.clone(),
            must_resolve,
            ..context
        }
    }
}

fn usage(what: impl std::fmt::Display, hint: impl Into<String>) -> Failure {
    Failure::new(Exit::Usage, anyhow!("{what}")).hint(hint)
}

impl Validate {
    /// Reads the profile, the contract, the certificates and the secrets.
    ///
    /// # Errors
    /// One of them can't be read, or the flags do not go together.
    pub(super) fn prepare(&mut self) -> Result<ReadBy, Failure> {
        let flags = &self.strangers;
        let profile = match &flags.profile {
            Some(name) => StrangerArgs::profile_at(name)?,
            None => None,
        };
        let contract = flags.contract.as_deref().map(StrangerArgs::contract_at).transpose()?;
        if let Some(profile) = &profile {
            self.fits(profile)?;
        }
        let is_foreign = profile.is_some();
        // The URL of another program may have commas.
        let endpoints = match (&self.url, &self.sse) {
            (Some(url), _) if is_foreign => {
                Some(Endpoint::exact(url).map(Endpoints::from).map_err(EndpointsError::from))
            }
            (None, Some(url)) if is_foreign => {
                Some(Endpoint::events(url, true).map(Endpoints::from).map_err(EndpointsError::from))
            }
            (Some(url), _) => Some(url.parse::<Endpoints>()),
            (None, Some(url)) => Some(Endpoints::read(url, |url| Endpoint::events(url, false))),
            (None, None) => None,
        };
        let endpoints = endpoints.transpose().map_err(|error| {
            let hint = "a URL with a query needs a --profile: our own streams have none";
            let failure = Failure::new(Exit::Usage, error);
            if is_foreign { failure } else { failure.hint(hint) }
        })?;
        match endpoints {
            Some(endpoints) => {
                let servers = self.token.add_to(&self.trust.add_to(&endpoints)?)?;
                let endpoint = servers.current().clone();
                let subscription = flags.subscription(profile.as_deref())?;
                let has = |name: &str| subscription.headers.iter().any(|(header, _)| header == name);
                if endpoint.authorization().is_some() && has("authorization") {
                    return Err(usage(
                        "both a token and a header set Authorization",
                        "unset INCIDENT_TOKEN and leave out --token-file, or leave out the header",
                    ));
                }
                self.dial = Some(Dial {
                    endpoint,
                    servers,
                    subscription,
                    profile: profile.clone(),
                    silent: Arc::default(),
                });
            }
            None => {
                let given = [("--token-file", &self.token.token_file), ("--cacert", &self.trust.cacert)];
                if let Some((flag, _)) = given.iter().find(|(_, file)| file.is_some()) {
                    let error = anyhow!("{flag} needs a server: give its --url or --sse");
                    return Err(Failure::new(Exit::Usage, error));
                }
            }
        }
        Ok(ReadBy(Context { profile, contract, ..Context::default() }))
    }

    /// Whether a profile goes with the other flags.
    fn fits(&self, profile: &Profile) -> Result<(), Failure> {
        let name = &profile.name;
        let is_live = self.url.is_some() || self.sse.is_some();
        if !is_live && self.files.is_empty() {
            return Err(usage(
                format!("the profile {name} needs a stream to read"),
                "give --url, --sse, or the file of a recording or transcript",
            ));
        }
        if self.url.is_some() && profile.needs_event_stream() {
            return Err(usage(
                format!(
                    "the profile {name} reads the id or event field of an event stream, and --url is a WebSocket"
                ),
                "give the event stream as --sse URL, or another profile",
            ));
        }
        let unsuited = [
            (self.trigger.is_some(), "--trigger starts a scenario on one of our servers"),
            (self.expect.is_some(), "--expect is about incidents of our own stream"),
        ];
        if let Some((_, why)) = unsuited.iter().find(|(given, _)| *given) {
            return Err(usage(
                format!("the profile {name} reads the stream of another program, but {why}"),
                "leave out one of the two",
            ));
        }
        if is_live && self.listen.is_none() && profile.ends.is_empty() {
            return Err(usage(
                format!(
                    "the profile {name} names no types that end something, so it has to be said how long to listen"
                ),
                "add --for 30s",
            ));
        }
        if self.sse.is_some() {
            let says = &profile.subscribing;
            let sends = !says.send.is_empty() || matches!(profile.resume, Some(Resume::Send(_)));
            if sends || !says.subprotocols.is_empty() {
                let what = if sends { "sends texts" } else { "offers subprotocols" };
                return Err(usage(
                    format!("the profile {name} {what}, which an event stream can't take"),
                    "give a WebSocket as --url, or another profile",
                ));
            }
        }
        Ok(())
    }
}
