//! The binary as a server with an owner, asked by HTTP.

use std::{
    fs::File,
    process::{Child, Stdio},
    time::Duration,
};

use ebb_destination::{Network, Outlet};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::shop::{Ran, Shop, ran};

pub(crate) const PASSWORD: &str = "correct horse battery";

/// A server with an owner, and an editor's token. What it prints lies in `serve.out` and `serve.err` of the
/// shop's folder.
pub(crate) struct Server {
    child: Child,
    outlet: Outlet,
    pub(crate) address: String,
    /// The owner's session in a browser.
    pub(crate) cookie: String,
    pub(crate) token: String,
}

impl Server {
    /// Starts it with these variables set.
    pub(crate) async fn start(shop: &Shop, variables: &[(&str, &str)]) -> Self {
        let mut command = shop.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.envs(variables.iter().copied());
        command.stdout(File::create(shop.path("serve.out")).unwrap());
        command.stderr(File::create(shop.path("serve.err")).unwrap());
        let child = command.stdin(Stdio::null()).spawn().unwrap();
        let outlet = Outlet::new(&Network::default(), 4).unwrap();
        let (address, cookie, token) = <_>::default();
        let mut server = Self { child, outlet, address, cookie, token };
        let told = first_told(shop).await;
        server.address = told["address"].as_str().unwrap().to_owned();
        server.join(told["first_owner"].as_str().unwrap()).await;
        server
    }

    /// Becomes the owner in a browser's manner, and makes a token.
    async fn join(&mut self, link: &str) {
        // By hand: the client would follow to the first page, and the cookie is in the answer before.
        let host = self.address.strip_prefix("http://").unwrap();
        let form =
            format!("email=ada%40example.com&name=Ada&password={}", PASSWORD.replace(' ', "+"));
        let request = format!(
            "POST {} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {}\r\n\
             content-type: application/x-www-form-urlencoded\r\n\r\n{form}",
            link.strip_prefix(&self.address).unwrap(),
            form.len(),
        );
        let mut stream = TcpStream::connect(host).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut joined = String::new();
        stream.read_to_string(&mut joined).await.unwrap();
        let cookie = joined.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
        cookie.split(';').next().unwrap().clone_into(&mut self.cookie);
        let page = self.page("/").await;
        let mark = page.split_once("X-CSRF-Token\":\"").unwrap().1.split_once('"').unwrap().0;
        let made = self
            .outlet
            .request("POST", &format!("{}/api/v1/tokens", self.address))
            .unwrap()
            .header("cookie", &self.cookie)
            .header("x-csrf-token", mark)
            .header("content-type", "application/json")
            .body(json!({ "name": "tests", "role": "editor" }).to_string());
        let made: Value =
            serde_json::from_str(&made.send().await.unwrap().text().await.unwrap()).unwrap();
        made["token"].as_str().unwrap().clone_into(&mut self.token);
    }

    /// A page as the owner sees it.
    pub(crate) async fn page(&self, path: &str) -> String {
        let asked = self.outlet.request("GET", &format!("{}{path}", self.address)).unwrap();
        asked.header("cookie", &self.cookie).send().await.unwrap().text().await.unwrap()
    }

    /// A request of the API with the token: status and answer.
    pub(crate) async fn api(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> (u16, String) {
        let url = format!("{}/api/v1{path}", self.address);
        let mut request = self.outlet.request(method, &url).unwrap().bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// What dbt Cloud would say, with a signature: status and answer.
    pub(crate) async fn dbt_cloud(&self, signature: &str, said: &Value) -> (u16, String) {
        let url = format!("{}/hooks/dbt-cloud", self.address);
        let request = self.outlet.request("POST", &url).unwrap().header("authorization", signature);
        let answer = request.body(said.to_string()).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// A command that asks this server.
    pub(crate) async fn ebb(&self, shop: &Shop, arguments: &[&str]) -> Ran {
        let mut command = shop.command(arguments);
        command.env("EBB_SERVER", &self.address).env("EBB_TOKEN", &self.token);
        command.env("CRM_SECRET", "hunter2-of-the-crm");
        ran(command).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The first document that a server prints.
pub(crate) async fn first_told(shop: &Shop) -> Value {
    for _ in 0..600 {
        let text = std::fs::read_to_string(shop.path("serve.out")).unwrap_or_default();
        let mut documents = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
        if let Some(Ok(told)) = documents.next() {
            return told;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let log = std::fs::read_to_string(shop.path("serve.err")).unwrap_or_default();
    panic!("the server told nothing: {log}")
}
