/** About 200 bytes, for `read` and `write` to find. */
export const data = { theme: 'dark', visits: 0, profile: { name: 'Ada Lovelace', note: '-'.repeat(130) } };
