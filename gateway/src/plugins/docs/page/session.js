import { h, labelled } from "./dom.js";

/** Tokens stay in this page's memory and go with it. */
const session = { name: "", accessToken: "", refreshToken: "", expireTime: "" };

/** Tokens that end sooner than this are exchanged before they are used, in ms. */
const SOON_MS = 10_000;

/** The access token to call with; a new one if the old one is about to end. "" without a sign-in. */
export async function accessToken() {
  if (session.refreshToken && Date.parse(session.expireTime) - Date.now() < SOON_MS) {
    const { refreshToken } = session;
    const answer = await post("auth/refresh", { refreshToken });
    if (session.refreshToken === refreshToken) keep(answer.ok ? answer.body : {});
  }
  return session.accessToken;
}

async function post(path, body) {
  const headers = { "content-type": "application/json" };
  const response = await fetch(path, { method: "POST", headers, credentials: "omit", body: JSON.stringify(body) });
  return { ok: response.ok, body: await response.json() };
}

function keep({ username = "", accessToken = "", refreshToken = "", accessTokenExpireTime = "" }) {
  Object.assign(session, { name: username, accessToken, refreshToken, expireTime: accessTokenExpireTime });
  shown?.();
}

let shown;

/** The sign-in in the head of the page. Without `POST /auth/login` in the document there is only a field for a token. */
export function sessionView(doc) {
  const view = h("details", { class: "session" });
  const state = h("summary", {});
  const problem = h("p", { class: "problem", role: "alert" });
  const token = h("input", { type: "password", autocomplete: "off", oninput: () => keep({ accessToken: token.value.trim() }) });
  const out = h("button", { type: "button", class: "plain", onclick: () => signOut(token) }, "Sign out");
  shown = () => {
    out.hidden = !session.accessToken;
    state.textContent = session.name ? `Signed in as ${session.name}` : session.accessToken ? "With a token" : "Sign in";
  };
  shown();
  const form = doc.paths["/auth/login"]?.post && signInForm(view, token, problem);
  const ownToken = h(
    "form",
    { onsubmit: (event) => event.preventDefault() },
    labelled(form ? "or an access token" : "Access token", token),
  );
  view.append(state, h("div", { class: "panel" }, form, problem, ownToken, out));
  view.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    view.open = false;
    state.focus();
  });
  return view;
}

function signInForm(view, token, problem) {
  const username = h("input", { autocomplete: "username", required: true, spellcheck: "false" });
  const password = h("input", { type: "password", autocomplete: "current-password", required: true });
  const signIn = async (event) => {
    event.preventDefault();
    problem.textContent = "";
    try {
      const { ok, body } = await post("auth/login", { username: username.value, password: password.value });
      if (!ok) throw new Error(body.error?.message);
      token.value = "";
      password.value = "";
      keep(body);
      view.open = false;
    } catch (error) {
      problem.textContent = `Not signed in: ${error.message || "no answer"}`;
    }
  };
  const button = h("button", { type: "submit" }, "Sign in");
  return h("form", { onsubmit: signIn }, labelled("Username", username), labelled("Password", password), button);
}

function signOut(token) {
  const { refreshToken } = session;
  token.value = "";
  keep({});
  // Whether or not that succeeds, nothing here knows the tokens any more.
  if (refreshToken) post("auth/logout", { refreshToken }).catch(() => undefined);
}
