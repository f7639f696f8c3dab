//! Every warehouse against real engines: one suite of scenarios, one harness for each engine.

mod bench;
mod conformance;
mod engine;
