//! The page in a real browser: log in, start the engine, deploy a strategy, place an order, halt. Needs
//! Debian's chromium (`make test` installs it).

mod support;

use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use support::{Engine, Home, wait_for};
use tokio_tungstenite::tungstenite::{self, Message, WebSocket};

/// A headless chromium with one tab, driven over the DevTools protocol.
struct Browser {
    process: Child,
    socket: WebSocket<TcpStream>,
    next_id: u64,
    /// The tab's DevTools session; null until it is attached.
    session: Value,
    _profile: tempfile::TempDir,
}

const FLAGS: [&str; 11] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--remote-debugging-port=0",
    "about:blank",
];

impl Browser {
    fn start() -> Self {
        let profile = tempfile::tempdir().expect("a folder for the profile");
        let mut process = Command::new("chromium")
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .args(FLAGS)
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("chromium is installed: scripts/test-tools.sh does it");
        let lines = BufReader::new(process.stderr.take().expect("piped")).lines();
        let address = lines
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("DevTools listening on ").map(str::to_owned))
            .expect("chromium tells where it listens");
        let place = address.trim_start_matches("ws://").split('/').next().expect("host and port");
        let stream = TcpStream::connect(place).expect("DevTools listen");
        stream.set_read_timeout(Some(support::PATIENCE)).expect("a timeout");
        let socket = tungstenite::client(&address, stream).expect("DevTools answer").0;
        let mut browser = Self { process, socket, next_id: 0, session: Value::Null, _profile: profile };
        let targets = browser.call("Target.getTargets", json!({}));
        let tab = targets["targetInfos"].as_array().expect("targets").iter().find(|it| it["type"] == "page");
        let tab = tab.expect("a tab")["targetId"].clone();
        let session = browser.call("Target.attachToTarget", json!({"targetId": tab, "flatten": true}));
        browser.session = session["sessionId"].clone();
        browser
    }

    fn call(&mut self, method: &str, params: Value) -> Value {
        self.next_id += 1;
        let id = self.next_id;
        let mut message = json!({"id": id, "method": method, "params": params});
        if !self.session.is_null() {
            message["sessionId"] = self.session.clone();
        }
        self.socket.send(Message::text(message.to_string())).expect("sent");
        loop {
            let answer = self.socket.read().expect("the browser answers in time");
            let Ok(value) = serde_json::from_str::<Value>(answer.to_text().unwrap_or_default()) else { continue };
            if value["id"] == id {
                assert!(value.get("error").is_none(), "{method}: {value}");
                return value["result"].clone();
            }
        }
    }

    fn open(&mut self, url: &str) {
        self.call("Page.navigate", json!({"url": url}));
    }

    /// Value of an expression in the page.
    fn eval(&mut self, expression: &str) -> Value {
        let params = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let answer = self.call("Runtime.evaluate", params);
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Waits until an expression is true in the page.
    fn until(&mut self, expression: &str) {
        wait_for(expression, || match self.eval(&format!("!!({expression})")) {
            Value::Bool(true) => Ok(()),
            _ => Err(self.eval("document.body.innerText.slice(0, 1500)").to_string()),
        });
    }

    fn click(&mut self, button: &str) {
        let find = format!(
            "[...document.querySelectorAll('button')].filter(b => b.offsetParent && !b.disabled && b.textContent.trim() === '{button}').at(-1)"
        );
        self.until(&find);
        self.eval(&format!("{find}.click()"));
    }

    fn fill(&mut self, within: &str, name: &str, value: &str) {
        let find = format!("document.querySelector(`{within} [name={name}]`)");
        self.until(&find);
        self.eval(&format!(
            "{{ const e = {find}; e.value = '{value}'; e.dispatchEvent(new Event('input', {{bubbles: true}})); e.dispatchEvent(new Event('change', {{bubbles: true}})); }}"
        ));
    }

    fn until_text(&mut self, text: &str) {
        self.until(&format!("document.body.innerText.toLowerCase().includes('{}')", text.to_lowercase()));
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It may be gone already; the profile folder goes with it.
        let _killed = self.process.kill();
        let _reaped = self.process.wait();
    }
}

#[test]
fn a_trader_reaches_a_running_strategy_by_the_page_alone() {
    let home = Home::new(include_str!("../config/paper.toml"));
    assert!(home.add_user().status.success());
    let engine = Engine::start(&home);
    let mut page = Browser::start();
    page.open(&format!("http://{}/", engine.addr));
    page.fill("form", "name", support::USER);
    page.fill("form", "password", support::PASSWORD);
    page.eval("document.querySelector('form').requestSubmit()");
    page.until_text("PAPER TRADING");
    page.until_text("SIMULATED");

    page.click("Start engine");
    page.until_text("Engine running");
    page.click("Deploy a strategy");
    page.until("document.querySelector('dialog [name=kind] option')");
    page.fill("dialog", "kind", "ema_cross");
    page.fill("dialog", "name", "by hand");
    page.fill("dialog", "fast", "3");
    page.fill("dialog", "slow", "8");
    page.fill("dialog", "qty", "100");
    page.click("Deploy");
    page.until("!document.querySelector('dialog') && document.body.innerText.includes('by hand')");

    let client = engine.login();
    let strategies = client.json("/api/v1/strategies");
    assert_eq!(strategies["strategies"][0]["name"], "by hand");
    assert_eq!(strategies["strategies"][0]["state"], "running");

    // A price must be there before the gate lets an order through.
    wait_for("a quote", || match client.json("/api/v1/marketdata/ACME")["quote"]["ask"].as_str() {
        Some(_) => Ok(()),
        None => Err("none yet".to_owned()),
    });
    page.fill("form.ticket", "qty", "10");
    page.click("Buy ACME");
    wait_for("the order of the ticket", || {
        let orders = client.json("/api/v1/orders");
        let all = orders["orders"].as_array().cloned().unwrap_or_default();
        match all.iter().any(|order| order["origin"] == "user" && order["qty"] == "10" && order["status"] == "filled") {
            true => Ok(()),
            false => Err(orders.to_string()),
        }
    });
    page.until(
        "[...document.querySelectorAll('tr')].some(row => /buy/.test(row.innerText) && /filled/.test(row.innerText))",
    );

    page.click("Stop engine");
    page.until_text("Engine stopped");
    assert_eq!(client.json("/api/v1/engine")["state"], "stopped");
}
