//! What comes in from outside, at a real gateway: routes, checks, certificates.

mod client;
mod objects;
mod relations;
mod tracing;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use charm_world::{Neighbour, World};
use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};

use super::report::Report;
use super::site::Site;
use client::{Intruder, Request};
use objects::{APP, AUTHORIZER, COLLECTOR, GATEWAY};
use relations::{must_show, relate, relation, say};

/// The application of the gateway's charm.
const CHARM: &str = "istio-ingressgateway";
/// What the authorizer knows Ann by.
const LOGIN: &str = "cookie: session=ann";
/// What the authorizer says, where it can be used.
const CHECKS: &str = "allowed-request-headers: [cookie]\nallowed-response-headers: \
                      [kubeflow-userid]\nport: 8080\nservice: authorizer\n";
/// The status with nothing wrong.
const WELL: &str = "active: CNI off";

/// What the cases share.
#[derive(Default)]
struct Outside {
    /// The address of the gateway's Service.
    address: String,
    /// Over HTTP and HTTPS.
    intruders: Vec<Intruder>,
    authority: Option<Neighbour>,
}

/// Runs all cases; nothing is related at the end.
pub(super) fn run(site: &mut Site, report: &mut Report) {
    let world = &mut site.world;
    let outside = &mut Outside::default();
    report.case("a gateway of the charm istio-gateway is Ready", || {
        outside.connect(world)
    });
    if outside.address.is_empty() {
        // It is told why, and all others would only wait in vain.
        return;
    }
    report.case("ingress: a path leads to an application, rewritten", || {
        outside.route(world)
    });
    report.case("workload-tracing: spans of requests are collected", || {
        tracing::trace(world, outside.plain("/app/"))
    });
    report.case(
        "ingress-auth: with nothing said, the gateway is closed",
        || outside.close(world),
    );
    report.case(
        "ingress-auth: what gets 200 passes, and what gets 401 not",
        || outside.check(world),
    );
    report.case("ingress-auth: without its Service nothing passes", || {
        outside.lose_authorizer(world)
    });
    report.case(
        "ingress-auth: what cannot be used closes the gateway",
        || outside.break_authorizer(world),
    );
    report.case("certificates: HTTPS with the chain of an authority", || {
        outside.certify(world)
    });
    report.case("redirect-https: plain HTTP leads to HTTPS", || {
        outside.redirect(world)
    });
    report.case("tls-secret-id: a user's certificate takes over", || {
        outside.take_over(world)
    });
    report.case(
        "ingress-auth: no request has passed in all this time",
        || outside.intruders(),
    );
    report.case(
        "without relations the gateway is open, and leads nowhere",
        || outside.part(world),
    );
}

impl Outside {
    fn plain(&self, path: &str) -> Request {
        Request::to(format!("http://{}{path}", self.address))
    }

    fn secure(&self, path: &str) -> Request {
        Request::to(format!("https://{}{path}", self.address))
    }

    fn connect(&mut self, world: &mut World) -> Result<String> {
        let relation = relate(world, CHARM, "istio-pilot", "k8s-service")?;
        let bag = [("_supported_versions", "- v1\n")];
        world.model.write_remote(relation, CHARM, &bag)?;
        world.settle()?;
        let databag = world.model.databag(relation, world.application());
        let data = databag.get("data").context("the charm says nothing")?;
        let data: Value = serde_yaml::from_str(data)?;
        let text = |key: &str| {
            data[key]
                .as_str()
                .with_context(|| format!("no {key}: {data}"))
        };
        world.apply(&objects::all(text("service-name")?, text("service-port")?))?;
        for condition in [
            format!("Available deployment/{GATEWAY}"),
            format!("Ready pod/{APP} pod/{AUTHORIZER}"),
        ] {
            world.kubectl(&format!("wait --timeout=60s --for=condition={condition}"))?;
        }
        let service = world.get(&format!("service {GATEWAY}"))?;
        let address = service["spec"]["clusterIP"].as_str();
        address.context("no address")?.clone_into(&mut self.address);
        Ok(String::new())
    }

    fn route(&self, world: &mut World) -> Result<String> {
        relate(world, APP, "ingress", "ingress")?;
        let data = "port: 8080\nprefix: /app/\nrewrite: /\nservice: app\n";
        say(world, APP, "ingress", data, WELL)?;
        self.plain("/app/deep").must_give(200, "/deep by nobody")?;
        self.plain("/other").must_be(404)?;
        Ok(String::new())
    }

    fn close(&mut self, world: &mut World) -> Result<String> {
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://{}/app/", self.address);
            self.intruders.push(Intruder::begin(&url)?);
        }
        relate(world, AUTHORIZER, "ingress-auth", "ingress-auth")?;
        let shown = world.shown()?;
        let (told, end) = (
            "waiting: ingress-auth:",
            "the ingress gateway is closed until then",
        );
        ensure!(shown.starts_with(told) && shown.ends_with(end), "{shown}");
        for intruder in &mut self.intruders {
            intruder.must_be_shut_out()?;
        }
        self.plain("/app/").header(LOGIN).must_be_refused()?;
        Ok(String::new())
    }

    fn check(&self, world: &mut World) -> Result<String> {
        say(world, AUTHORIZER, "ingress-auth", CHECKS, WELL)?;
        let request = self.plain("/app/deep");
        request.must_give(401, "who are you?")?;
        let request = request.header(LOGIN);
        request.must_give(200, "/deep by ann")?;
        // Who somebody is, the authorizer says.
        let request = request.header("kubeflow-userid: root");
        request.must_give(200, "/deep by ann")?;
        Ok(String::new())
    }

    fn lose_authorizer(&self, world: &World) -> Result<String> {
        let request = self.plain("/app/").header(LOGIN);
        world.kubectl(&format!("delete service {AUTHORIZER}"))?;
        request.must_be(403)?;
        world.apply(&objects::service(AUTHORIZER))?;
        request.must_be(200)?;
        Ok(String::new())
    }

    fn break_authorizer(&self, world: &mut World) -> Result<String> {
        let request = self.plain("/app/").header(LOGIN);
        let relation = relation(world, AUTHORIZER, "ingress-auth")?;
        let status = format!(
            "blocked: ingress-auth:{relation} with {AUTHORIZER}: `port` is 0, and ports are \
             numbers from 1 to 65535; the ingress gateway is closed until then"
        );
        let data = "port: 0\nservice: authorizer\n";
        say(world, AUTHORIZER, "ingress-auth", data, &status)?;
        request.must_be_refused()?;
        say(world, AUTHORIZER, "ingress-auth", CHECKS, WELL)?;
        request.must_be(200)?;
        Ok(status)
    }

    fn certify(&mut self, world: &mut World) -> Result<String> {
        let says = json!({"intermediate": true});
        let mut authority = Neighbour::related(world, "authority", "certificates", says)?;
        world.settle()?;
        authority.converse(world)?;
        must_show(world, WELL)?;
        self.authority = Some(authority);
        let root = root(world)?;
        let request = self.secure("/app/deep").trusting(&root);
        request.must_give(401, "who are you?")?;
        request.header(LOGIN).must_give(200, "/deep by ann")?;
        self.plain("/app/").must_be_refused()?;
        Ok(String::new())
    }

    fn redirect(&self, world: &mut World) -> Result<String> {
        let shown = world.configure(&[("redirect-https", "true")])?;
        ensure!(shown == WELL, "{shown}");
        let secure = format!("https://{}/app/deep", self.address);
        self.plain("/app/deep")
            .header(LOGIN)
            .must_lead_to(&secure)?;
        // The check comes first.
        self.plain("/app/deep").must_give(401, "who are you?")?;
        let request = self.secure("/app/deep").trusting(&file(world, "root")?);
        request.header(LOGIN).must_give(200, "/deep by ann")?;
        Ok(String::new())
    }

    fn take_over(&mut self, world: &mut World) -> Result<String> {
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new([self.address.clone()])?.self_signed(&key)?;
        let (certificate, key) = (certificate.pem(), key.serialize_pem());
        let own = file(world, "own")?;
        fs::write(&own, &certificate)?;
        let content = [("tls-crt", certificate.as_str()), ("tls-key", &key)];
        let id = world.model.add_secret("own-certificate", &content)?;
        let application = world.application().to_owned();
        world.model.grant_secret("own-certificate", &application)?;
        // Both are too many, and what works stays.
        let shown = world.configure(&[("tls-secret-id", &id)])?;
        ensure!(shown.starts_with("blocked: "), "{shown}");
        let old = self
            .secure("/app/")
            .trusting(&file(world, "root")?)
            .header(LOGIN);
        old.must_be(200)?;
        let mut authority = self.authority.take().context("there is no authority")?;
        authority.part(world)?;
        world.settle()?;
        must_show(world, WELL)?;
        let new = self.secure("/app/deep").trusting(&own).header(LOGIN);
        new.must_give(200, "/deep by ann")?;
        old.must_not_trust()?;
        Ok(shown)
    }

    fn intruders(&mut self) -> Result<String> {
        let mut told = Vec::new();
        for intruder in &mut self.intruders {
            told.push(format!("seen: {}", intruder.must_not_have_passed()?));
        }
        self.intruders.clear();
        Ok(told.join("\n"))
    }

    fn part(&self, world: &mut World) -> Result<String> {
        world.configure(&[("tls-secret-id", ""), ("redirect-https", "false")])?;
        let application = world.application().to_owned();
        world.model.remove_relation(AUTHORIZER, &application)?;
        world.settle()?;
        must_show(world, WELL)?;
        self.plain("/app/deep").must_give(200, "/deep by nobody")?;
        world.model.remove_relation(APP, &application)?;
        world.model.remove_relation(CHARM, &application)?;
        world.settle()?;
        must_show(world, WELL)?;
        self.plain("/app/deep").must_be(404)?;
        world.kubectl(&format!(
            "delete deployment/{GATEWAY} service/{GATEWAY} --wait=false"
        ))?;
        world.kubectl(&format!(
            "delete pod/{APP} pod/{AUTHORIZER} pod/{COLLECTOR} --wait=false"
        ))?;
        Ok(String::new())
    }
}

/// A file with the certificate of the authority above all others.
fn root(world: &World) -> Result<PathBuf> {
    let relation = relation(world, "authority", "certificates")?;
    let databag = world.model.databag(relation, "authority");
    let issued = databag.get("certificates").context("nothing is issued")?;
    let issued: Value = serde_json::from_str(issued)?;
    let root = issued.pointer("/0/chain").and_then(Value::as_array);
    let root = root.and_then(|chain| chain.last()?.as_str());
    let path = file(world, "root")?;
    fs::write(&path, root.context("there is no chain")?)?;
    Ok(path)
}

/// A file for certificates that are trusted.
fn file(world: &World, name: &str) -> Result<PathBuf> {
    let folder = world.cluster.folder().join("authorities");
    fs::create_dir_all(&folder)?;
    Ok(folder.join(name))
}
