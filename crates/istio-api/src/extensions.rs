//! Code that runs inside the proxies.

pub mod plugin;
pub mod traffic_extension;
pub mod wasm_plugin;

pub use traffic_extension::TrafficExtension;
pub use wasm_plugin::WasmPlugin;
