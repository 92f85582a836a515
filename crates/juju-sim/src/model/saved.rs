//! A model that outlives the process: its state in `model.json`, its log next to it.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Model, ModelOptions};
use crate::hook::Hook;
use crate::record::LogLine;
use crate::state::{FailedHook, State};
use crate::substrate::Substrate;
use crate::{Error, clock};

const STATE: &str = "model.json";
const SETTINGS: &str = "settings.json";
const LOG: &str = "debug-log.jsonl";
const LOCK: &str = "lock";

/// What a saved model was made with.
#[derive(Serialize, Deserialize)]
struct Settings {
    kubeconfig: Option<PathBuf>,
    hook_retries: u32,
    variables: std::collections::BTreeMap<String, String>,
}

/// Writes the state so that a reader sees the old or the new one, never half of it.
pub(super) fn write_state(directory: &Path, state: &State) -> Result<(), Error> {
    write_whole(
        &directory.join(STATE),
        &serde_json::to_vec_pretty(state).unwrap_or_default(),
    )
}

fn write_whole(path: &Path, content: &[u8]) -> Result<(), Error> {
    let partial = path.with_extension("partial");
    fs::write(&partial, content).map_err(Error::file("write", &partial))?;
    fs::rename(&partial, path).map_err(Error::file("write", path))
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, Error> {
    let text = fs::read(path).map_err(Error::file("read", path))?;
    serde_json::from_slice(&text).map_err(|error| Error::Saved {
        path: path.to_owned(),
        reason: error.to_string(),
    })
}

impl Model {
    /// Whether a folder holds a model that [`Model::open`] can read.
    pub fn exists(directory: &Path) -> bool {
        directory.join(STATE).is_file()
    }

    /// Reads the model of a folder that an earlier process saved with [`Model::keep`].
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Saved`] if there is none, [`Error::Kubernetes`] if its cluster
    /// does not answer.
    pub fn open(directory: &Path) -> Result<Self, Error> {
        let state: State = read(&directory.join(STATE))?;
        let settings: Settings = read(&directory.join(SETTINGS))?;
        let substrate = match &settings.kubeconfig {
            Some(path) => Some(Substrate::connect(path, &state.name)?),
            None => None,
        };
        let mut model = Self::assemble_saved(directory, state, settings, substrate)?;
        model.recover();
        Ok(model)
    }

    /// A hook that was cut short with its process counts as failed and runs again; an action is
    /// not repeated.
    fn recover(&mut self) {
        let retries_left = self.hook_retries.max(1);
        for application in self.state.applications.values_mut() {
            for unit in application.units.values_mut() {
                match unit.executing.take() {
                    Some(Hook::Action { id, .. }) => unit.actions.retain(|action| action.id != id),
                    Some(hook) => {
                        unit.failed = Some(FailedHook {
                            hook,
                            retries_left,
                            since: clock::now(),
                        });
                    }
                    None => {}
                }
            }
        }
    }

    /// Reads a saved model only to look at it: its cluster is not contacted, so hooks cannot run.
    ///
    /// # Errors
    /// As [`Model::open`].
    pub fn open_to_read(directory: &Path) -> Result<Self, Error> {
        let state: State = read(&directory.join(STATE))?;
        let settings: Settings = read(&directory.join(SETTINGS))?;
        Self::assemble_saved(directory, state, settings, None)
    }

    fn assemble_saved(
        directory: &Path,
        state: State,
        settings: Settings,
        substrate: Option<Substrate>,
    ) -> Result<Self, Error> {
        let mut options = ModelOptions::named(state.name.clone())
            .in_directory(directory)
            .hook_retries(settings.hook_retries);
        options.kubeconfig = settings.kubeconfig;
        let mut model = Self::assemble(state, options, substrate)?;
        model.variables = settings.variables;
        let path = directory.join(LOG);
        if path.exists() {
            let text = fs::read_to_string(&path).map_err(Error::file("read", &path))?;
            model.log = text
                .lines()
                .map(serde_json::from_str::<LogLine>)
                .collect::<Result<_, _>>()
                .map_err(|error| Error::Saved {
                    path,
                    reason: error.to_string(),
                })?;
        }
        model.log_saved = model.log.len();
        Ok(model)
    }

    /// Makes the folder of the model one that [`Model::open`] can read, and keeps it when this
    /// value goes, also if it was a temporary one.
    ///
    /// # Errors
    /// [`Error::Io`] if the files cannot be written.
    pub fn keep(&mut self) -> Result<(), Error> {
        if let Some(folder) = self.temporary.take() {
            self.directory = folder.keep();
        }
        self.save()
    }

    /// Writes a kept model's present state; nothing for a temporary one.
    pub(super) fn save(&mut self) -> Result<(), Error> {
        if self.temporary.is_some() {
            return Ok(());
        }
        let settings = Settings {
            kubeconfig: self
                .substrate
                .as_ref()
                .map(|substrate| substrate.source().to_owned()),
            hook_retries: self.hook_retries,
            variables: self.variables.clone(),
        };
        let settings = serde_json::to_vec_pretty(&settings).unwrap_or_default();
        write_whole(&self.directory.join(SETTINGS), &settings)?;
        write_state(&self.directory, &self.state)?;
        let path = self.directory.join(LOG);
        let mut file = File::options()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(Error::file("open", &path))?;
        for line in self.log.get(self.log_saved..).unwrap_or_default() {
            let mut text = serde_json::to_vec(line).unwrap_or_default();
            text.push(b'\n');
            file.write_all(&text).map_err(Error::file("write", &path))?;
        }
        self.log_saved = self.log.len();
        Ok(())
    }

    /// Waits until no other process changes the model of this folder; the right to do so ends
    /// with the returned file.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder cannot be written.
    pub fn lock(directory: &Path) -> Result<File, Error> {
        fs::create_dir_all(directory).map_err(Error::file("create folder", directory))?;
        let path = directory.join(LOCK);
        let file = File::create(&path).map_err(Error::file("create", &path))?;
        file.lock().map_err(Error::file("lock", &path))?;
        Ok(file)
    }
}
