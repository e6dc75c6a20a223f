import { addMessage, reflash, takeMessages } from './flash';
import { keepInput, readField, readInput, type FlashInputOptions } from './form-input';
import { freeze } from './freeze';
import { setConstant } from './login';
import { refuseAssignments } from './refuse-assignments';
import { decodeValue } from './session-body';
import type { FlashKind, FlashMessage, SessionConstantKey, SessionConstants } from './session-data';
import type { KeyOf, SessionData, SessionKey } from './session-data';
import type { SessionDraft } from './session-draft';
import { getOwn, setOwn, type FormFields } from './session-state';

/** Returns the draft in which a session records changes. Internal: not exported from the package. */
export let draftOf: (session: SessionContent) => SessionDraft;

/** What a session remembers: the application's values, constants and flash messages. The half of `Session` that is about data. */
export abstract class SessionContent {
  readonly #draft: SessionDraft;

  static {
    draftOf = (session) => session.#draft;
  }

  constructor(draft: SessionDraft) {
    this.#draft = draft;
  }

  /**
   * Returns the value of a key, or `undefined`. An object may be changed in place; the commit detects that. Where the session cannot change,
   * objects and arrays are frozen.
   */
  get<K extends SessionKey>(key: KeyOf<K>): SessionData[K] | undefined {
    const value = getOwn(this.#data, key);
    if (this.#draft.readOnly !== null) freeze(value);
    else if (typeof value === 'object' && value !== null) this.#draft.values.see(key, value);
    return value as SessionData[K] | undefined;
  }

  /**
   * Sets a key, with the option `schema` to the output of its schema. When two concurrent requests set the same key, the later commit wins;
   * use {@link update} to avoid lost updates.
   * @throws SessionValueError when the value is not supported, or its schema refuses it; the message gives the path and the reason
   */
  set<K extends SessionKey>(key: KeyOf<K>, value: SessionData[K]): this {
    this.#draft.assertWritable();
    this.#draft.add(this.#draft.values.put(this.#data, key, value));
    return this;
  }

  /**
   * Sets a key to the result of `change`, and returns it. When a concurrent request wrote first, `change` runs again with the value
   * that request wrote, so it must have no side effects. It receives a copy, which it may change.
   * @throws SessionValueError when the result is not supported, or its schema refuses it
   */
  update<K extends SessionKey>(
    key: KeyOf<K>,
    change: (value: SessionData[K] | undefined) => SessionData[K],
  ): SessionData[K] {
    const draft = this.#draft;
    draft.view?.pull();
    draft.noticeMutation(key);
    draft.record('data', (state) => {
      const before = draft.values.copy(key, getOwn(state.data, key));
      const value = draft.values.conform(key, change(before as SessionData[K] | undefined));
      draft.values.accept(key, value);
      setOwn(state.data, key, value);
    });
    return getOwn(draft.state.data, key) as SessionData[K];
  }

  /** Returns whether the key is set, even if to `undefined`. */
  has(key: KeyOf): boolean {
    return Object.hasOwn(this.#data, key);
  }

  /** Removes a key, and returns whether it was set. */
  delete(key: KeyOf): boolean {
    if (key === undefined) throw new TypeError('delete() needs a key. To end the session use destroy().');
    this.#draft.assertWritable();
    const present = this.has(key);
    if (present) this.#draft.record('data', (state) => delete state.data[key]);
    return present;
  }

  /** Removes a key, and returns its value: `get` and `delete` in one. */
  pop<K extends SessionKey>(key: KeyOf<K>): SessionData[K] | undefined {
    const value = this.get<K>(key);
    this.delete(key);
    return value;
  }

  /** Returns the keys that are set, sorted. */
  keys(): SessionKey[] {
    return Object.keys(this.#data).sort() as SessionKey[];
  }

  /** Returns the keys that are set and their values, sorted by key. */
  entries(): { [K in SessionKey]: [key: K, value: SessionData[K]] }[SessionKey][] {
    return this.keys().map((key) => [key, this.get(key)]) as never;
  }

  /** Removes all keys. Login, flash messages and timeouts stay. */
  clear(): void {
    this.#draft.assertWritable();
    if (this.keys().length > 0) this.#draft.record('data', (state) => (state.data = {}));
  }

  /**
   * Adds a flash message, which is read once, in this request or a later one.
   * @throws SessionValueError when the message is not supported
   */
  flash<K extends FlashKind>(kind: K, message: FlashMessage<K>): void {
    addMessage(this.#draft, kind, message);
  }

  /** Removes and returns the flash messages of one kind, oldest first. */
  messages<K extends FlashKind>(kind: K): FlashMessage<K>[];
  /** Removes and returns all flash messages, oldest first. */
  messages(): {
    /** The kind that it was added with. */
    kind: FlashKind;
    /** A copy of what was added. */
    message: FlashMessage;
  }[];
  messages(kind?: FlashKind): unknown[] {
    const taken = takeMessages(this.#draft, kind);
    return taken.map(({ kind: its, message }) => (kind === undefined ? { kind: its, message } : message));
  }

  /**
   * Keeps the fields of a form for the page that shows it again, instead of an earlier form: texts and arrays of texts, at most 16,384
   * characters. Other values are dropped, such as files, and fields whose name looks like a password, a token or another secret.
   */
  flashInput(body: unknown, options: FlashInputOptions = {}): this {
    keepInput(this.#draft, body, options);
    return this;
  }

  /** Returns a field kept by {@link flashInput}, or `undefined`. The first call removes the form; this request can go on reading it. */
  oldInput(name: string): string | string[] | undefined;
  /** Returns all fields kept by {@link flashInput}, or `{}`. */
  oldInput(): FormFields;
  oldInput(name?: string): FormFields | string | string[] | undefined {
    return name === undefined ? readInput(this.#draft) : readField(this.#draft, name);
  }

  /** Keeps the flash messages and the form input that this request has read for one more request, such as that of a redirect. */
  reflash(): void {
    reflash(this.#draft);
  }

  /**
   * Sets a value that cannot change any more: until `logout`, or for a visitor as long as the session lasts. Setting the same value again
   * does nothing.
   * @throws SessionError `SESSION_CONSTANT_FIXED` when it has another value; the commit throws it when a concurrent request was first.
   * SessionValueError when the value is not supported
   */
  setConstant<K extends SessionConstantKey>(key: K, value: SessionConstants[K]): this {
    const draft = this.#draft;
    const text = draft.values.encode(key, value);
    if (getOwn(draft.state.constants, key) !== text)
      draft.record('data', ({ constants }) => setConstant(constants, key, text));
    return this;
  }

  /** Returns a copy of a value set by {@link setConstant} or `login(principal, { constants })`. */
  constant<K extends SessionConstantKey>(key: K): SessionConstants[K] | undefined {
    const { state, settings } = this.#draft;
    const text = getOwn(state.constants, key) as string | undefined;
    return text === undefined ? undefined : (decodeValue(text, settings.codec) as SessionConstants[K]);
  }

  get #data(): Record<string, unknown> {
    this.#draft.view?.pull();
    return this.#draft.state.data;
  }
}

refuseAssignments(SessionContent.prototype);
