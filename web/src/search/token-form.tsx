import type { JSX } from "preact";
import { useState } from "preact/hooks";

/** Asks for the token of a server that needs one. It stays in this page, and is gone when the page is. */
export function TokenForm({
  wasRefused,
  onToken,
}: {
  wasRefused: boolean;
  onToken: (token: string) => void;
}): JSX.Element {
  const [token, setToken] = useState("");
  return (
    <main class="empty">
      <h1>This server needs a token</h1>
      <form
        class="token"
        onSubmit={(event) => {
          event.preventDefault();
          if (token.trim() !== "") onToken(token);
        }}
      >
        <input
          type="password"
          aria-label="Token"
          autocomplete="off"
          value={token}
          onInput={(event) => setToken(event.currentTarget.value)}
        />
        <button type="submit" class="main">
          Go on
        </button>
      </form>
      {wasRefused ? (
        <p class="failed" role="alert">
          The server does not know this token.
        </p>
      ) : (
        <p>
          Its operator makes one with <code>winnow serve --new-token NAME</code>. It is kept in this page only.
        </p>
      )}
    </main>
  );
}
