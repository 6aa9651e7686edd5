//! The page: every text reaches the document through `dashboard/dom.js`, which has the gate.
