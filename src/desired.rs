//! The objects that should exist: made from what is asked for, the cluster's version, and the phase
//! of the CNI switch.
//!
//! Pure: the same [`Inputs`] always give the same objects, byte for byte.
//!
//! Some fields are missing because others set them: `caBundle` of both webhook configurations
//! (istiod) and `spec.replicas` of istiod (its autoscaler). Values are written as the API server
//! stores them, `2Gi` and not `2048Mi`, so that a comparison with the live object finds only real
//! differences.

mod configuration;
mod gateway;
pub mod ids;
mod ingress;
pub mod injection;
mod render;
mod spans;
pub mod stream;
mod template;
mod wanted;
mod yaml;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::OnceLock;

use juju::names::ApplicationName;

use crate::cni::Phase;
use crate::intent::cni_paths::CniPaths;
use crate::intent::extensions::Extensions;
use crate::intent::identity::Identity;
use crate::intent::ingress::route::Route;
use crate::intent::{Intent, Mesh};
use crate::istio::Injection;
#[cfg(test)]
use crate::k8s::kind::CUSTOM_RESOURCE_DEFINITION;
use crate::k8s::kind::{GATEWAY, VIRTUAL_SERVICE};
use crate::k8s::object::{Object, ObjectError};
use crate::k8s::version::KubernetesVersion;
use gateway::Scheme;
use injection::InjectionError;
use render::{render, typed};
use template::TemplateError;
pub use wanted::Wanted;

/// Why objects could not be rendered: always a defect of this program.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// Istio's resource definitions could not be made.
    #[error(transparent)]
    Definitions(#[from] istio_api::Error),
    /// The configuration of injection could not be made.
    #[error(transparent)]
    Injection(#[from] InjectionError),
    /// A template is wrong.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The rendered text is not YAML.
    #[error("the rendered template {template} is not YAML")]
    NotYaml {
        /// Path below `templates/`.
        template: &'static str,
        /// What the YAML parser says.
        source: serde_yaml::Error,
    },
    /// What was rendered is not a Kubernetes object.
    #[error("{origin}: not a Kubernetes object")]
    NotAnObject {
        /// Path of a template, or another name for where it comes from.
        origin: &'static str,
        /// What is missing.
        source: ObjectError,
    },
    /// An object, or a text inside one, could not be written.
    #[error("cannot write an object as JSON")]
    NoJsonForm(#[source] serde_json::Error),
}

/// What decides the objects of a control plane.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// Whose control plane it is.
    pub identity: &'a Identity,
    /// What the options ask for.
    pub mesh: &'a Mesh,
    /// What relations add to it.
    pub extensions: &'a Extensions,
    /// The API server's version.
    pub kubernetes: KubernetesVersion,
    /// Where the CNI switch stands.
    pub phase: Phase,
}

impl<'a> Inputs<'a> {
    /// The directories of the node agent; `None` in a phase that does not apply it.
    pub fn node_agent(&self) -> Option<&'a CniPaths> {
        self.mesh.cni.paths().filter(|_| self.phase.applies_agent())
    }

    /// What new pods get.
    pub fn injection(&self) -> Injection {
        self.phase.injection()
    }
}

/// Everything that should exist in one cluster: in the end, and in each phase on the way there.
#[derive(Debug)]
pub struct Desired<'a> {
    intent: &'a Intent,
    kubernetes: KubernetesVersion,
    of_relations: Vec<Object>,
    last_phase: Phase,
    settled: Wanted,
    /// What is wanted on the way there, once it has been rendered: without and with the node agent.
    on_the_way: [OnceLock<Wanted>; 2],
}

impl<'a> Desired<'a> {
    /// What an intent and the objects of its relations mean in a cluster of that version.
    ///
    /// # Errors
    /// A defect of this program.
    pub fn new(
        intent: &'a Intent,
        of_endpoints: Vec<Object>,
        kubernetes: KubernetesVersion,
    ) -> Result<Self, RenderError> {
        let mut of_relations = ingress::objects(intent)?;
        of_relations.extend(spans::objects(intent)?);
        of_relations.extend(of_endpoints);
        let last_phase = match intent.cni_paths() {
            Some(_) => Phase::On,
            None => Phase::Off,
        };
        let mut desired = Self {
            intent,
            kubernetes,
            of_relations,
            last_phase,
            settled: Wanted::default(),
            on_the_way: Default::default(),
        };
        desired.settled = desired.render(last_phase)?;
        Ok(desired)
    }

    /// What is asked for.
    pub fn intent(&self) -> &'a Intent {
        self.intent
    }

    /// The API server's version.
    pub fn kubernetes(&self) -> KubernetesVersion {
        self.kubernetes
    }

    /// What should exist in the end, after every transition.
    pub fn settled(&self) -> &Wanted {
        &self.settled
    }

    /// What should exist in a phase.
    ///
    /// # Errors
    /// A defect of this program.
    pub fn at(&self, phase: Phase) -> Result<&Wanted, RenderError> {
        let same = phase.applies_agent() == self.last_phase.applies_agent()
            && phase.injection() == self.last_phase.injection();
        if same || self.intent.mesh().is_none() {
            return Ok(&self.settled);
        }
        // Whatever is on its way to another phase gives pods `istio-init`.
        let known = &self.on_the_way[usize::from(phase.applies_agent())];
        if let Some(known) = known.get() {
            return Ok(known);
        }
        let wanted = self.render(phase)?;
        Ok(known.get_or_init(|| wanted))
    }

    /// What is wanted, but no route to any of these applications: those that there are have to go
    /// before anything else happens.
    ///
    /// # Errors
    /// A defect of this program.
    pub fn withholding<'b>(
        &self,
        wanted: &'b Wanted,
        applications: &BTreeSet<&ApplicationName>,
    ) -> Result<Cow<'b, Wanted>, RenderError> {
        if applications.is_empty() {
            return Ok(Cow::Borrowed(wanted));
        }
        let is_withheld = |it: &Route| {
            let application = it.application.as_ref();
            application.is_some_and(|it| applications.contains(it))
        };
        let open = ingress::virtual_services(self.intent, |it| !is_withheld(it))?;
        let wanted = wanted.with_others_of(&VIRTUAL_SERVICE, open, &self.intent.identity);
        Ok(Cow::Owned(wanted.closing(&VIRTUAL_SERVICE)))
    }

    /// The same with definitions that say next to nothing: comparing whole ones takes most of the
    /// time of a test.
    #[cfg(test)]
    pub(crate) fn with_small_definitions(mut self) -> Self {
        let shrink = |wanted: &mut Wanted| {
            let definitions = wanted.objects.iter_mut();
            for object in definitions.filter(|it| it.is(&CUSTOM_RESOURCE_DEFINITION)) {
                let versions = object.at_mut("/spec/versions");
                for version in versions
                    .and_then(serde_json::Value::as_array_mut)
                    .into_iter()
                    .flatten()
                {
                    version["schema"]["openAPIV3Schema"] = serde_json::json!({"type": "object"});
                }
            }
        };
        for (phase, known) in [Phase::Off, Phase::RollingOut].iter().zip(&self.on_the_way) {
            let mut wanted = self.render(*phase).expect("it renders");
            shrink(&mut wanted);
            known.set(wanted).expect("nothing is known yet");
        }
        shrink(&mut self.settled);
        self
    }

    /// The same without Istio's definitions.
    #[cfg(test)]
    pub(crate) fn without_definitions(self) -> Self {
        let mut desired = self.with_small_definitions();
        let is_other = |object: &Object| !object.is(&CUSTOM_RESOURCE_DEFINITION);
        for known in &mut desired.on_the_way {
            let wanted = known.get_mut().expect("it is rendered");
            wanted.objects.retain(is_other);
        }
        desired.settled.objects.retain(is_other);
        desired
    }

    fn render(&self, phase: Phase) -> Result<Wanted, RenderError> {
        let Some(mesh) = self.intent.mesh() else {
            return Ok(Wanted::default());
        };
        let identity = &self.intent.identity;
        let mut objects = render(&Inputs {
            identity,
            mesh,
            extensions: self.intent.extensions.as_ref().unwrap_or(Extensions::NONE),
            kubernetes: self.kubernetes,
            phase,
        })?;
        objects.extend_from_slice(&self.of_relations);
        let wanted = Wanted::new(objects, identity);
        if self.intent.is_closed() {
            return Ok(wanted.closing(&GATEWAY));
        }
        Ok(wanted)
    }
}

/// The Gateway that all ingress routes share, as configuration alone implies it: in plain HTTP.
///
/// # Errors
/// As [`Desired::new`].
pub fn gateway(identity: &Identity, mesh: &Mesh) -> Result<Object, RenderError> {
    typed(&gateway::gateway(
        &mesh.gateway.name,
        identity.namespace(),
        Scheme::Http,
    ))
}
