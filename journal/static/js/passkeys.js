// Says in words why a passkey was not made or used. The ceremony itself is allauth's webauthn.js.
const REASONS = {
  NotAllowedError:
    "Nothing happened: it was cancelled, took too long, or this device has no passkey for here.",
  InvalidStateError: "This device is already registered with your login.",
  NotSupportedError:
    "This device cannot make such a passkey. Untick “Sign in with it alone”, or use another.",
};

function reason(exception) {
  if (!window.PublicKeyCredential)
    return "This browser has no passkeys on this address; they need https or localhost.";
  if (exception?.name === "SecurityError") {
    return "Passkeys need a host name: open this site under its name, on this machine as http://localhost.";
  }
  return REASONS[exception?.name] ?? "The passkey did not work. Try again, or use another way.";
}

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  const place = document.querySelector("[data-passkey-error]");
  place.textContent = reason(event.detail.exception);
  place.hidden = false;
});
