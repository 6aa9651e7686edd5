//! Plans in memory. They are long, there is one for each open incident, and they are rarely read: so they are deflated, on a
//! thread of their own, and nothing waits for that.

use std::io;
use std::sync::Arc;

use tokio::task::spawn_blocking;

use super::error::{JournalError, Trouble, TroubleKind};
use crate::deflated::{Deflated, Deflater};

/// A plan as it is kept.
#[derive(Debug, Clone)]
pub(super) enum KeptPlan {
    /// As it came.
    Plain(Arc<str>),
    /// As it is kept after that.
    Deflated(Deflated),
}

impl KeptPlan {
    /// The plan deflated; unchanged if it is already, or can't be.
    pub(super) fn deflated(self) -> Self {
        match self {
            Self::Plain(text) => Deflater::default().deflate(&text).map_or(Self::Plain(text), Self::Deflated),
            Self::Deflated(_) => self,
        }
    }

    fn text(self) -> io::Result<Arc<str>> {
        match self {
            Self::Plain(text) => Ok(text),
            Self::Deflated(deflated) => Ok(deflated.text()?.into()),
        }
    }
}

/// The texts of plans.
pub(super) async fn texts(plans: Vec<Option<KeptPlan>>) -> Result<Vec<Option<Arc<str>>>, JournalError> {
    let is_long = plans.iter().flatten().any(|plan| matches!(plan, KeptPlan::Deflated(_)));
    let text = |plan: Option<KeptPlan>| plan.map(KeptPlan::text).transpose();
    let read = move || plans.into_iter().map(text).collect::<io::Result<_>>();
    // The task does not panic. So if it was not done, the runtime ends.
    let unavailable = |error| Trouble::from_error(TroubleKind::Stopped, error);
    let texts = if is_long { spawn_blocking(read).await.map_err(unavailable) } else { Ok(read()) };
    texts
        .and_then(|texts| texts.map_err(|error| Trouble::from_error(TroubleKind::Other, error)))
        .map_err(JournalError::Unavailable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_plan_has_its_text_before_and_after_it_is_deflated() {
        let text: Arc<str> = "{\"due\":0},".repeat(1_000).into();
        let plain = KeptPlan::Plain(Arc::clone(&text));
        let deflated = plain.clone().deflated();
        assert!(matches!(&deflated, KeptPlan::Deflated(_)), "{deflated:?}");
        let texts = texts(vec![Some(plain), None, Some(deflated.clone()), Some(deflated.deflated())]).await;
        let texts = texts.expect("all can be read");
        assert_eq!(texts, [Some(Arc::clone(&text)), None, Some(Arc::clone(&text)), Some(text)]);
    }
}
