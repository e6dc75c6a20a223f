import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { chromium, type BrowserContext, type LaunchOptions, type Page } from 'playwright-core';
// @ts-expect-error -- the check of the documentation site, which is JavaScript, uses it too
import { ARGUMENTS, findChromium } from './chromium';
import { describeRequiring } from './not-run';
import { SiteProcess } from './site-process';
import { describeWithSqlite } from './sqlite';

/** Where the walks leave their pictures. */
export const artifacts = resolve(__dirname, '../artifacts');

/** Tests with browsers, which `open` opens and `launch` tells how to. The summary says so when Chromium is missing. */
export function describeWithChromium(
  title: string,
  body: (open: (baseURL: string) => Promise<Browser>, launch: LaunchOptions) => void,
): void {
  const executablePath = (findChromium as () => string | null)();
  const missing =
    executablePath === null ? 'Chromium is needed: install the package chromium, or set CHROMIUM_PATH' : null;
  const launch = { executablePath: executablePath!, args: ARGUMENTS as string[], timeout: 30_000 };
  describeRequiring(missing, title, () => body((baseURL) => Browser.open(launch, baseURL), launch));
}

/** A walk through the sample site, which runs as a process of its own. The summary says so when Chromium or SQLite is missing. */
export function describeInChromium(
  title: string,
  walk: (site: () => SiteProcess, open: () => Promise<Browser>) => void,
): void {
  describeWithSqlite(title, () => {
    describeWithChromium('in Chromium', (open) => {
      let site: SiteProcess;
      beforeAll(async () => {
        mkdirSync(artifacts, { recursive: true });
        site = await SiteProcess.start();
      }, 180_000);
      afterAll(() => site?.stop());
      walk(
        () => site,
        () => open(site.url),
      );
    });
  });
}

/** A browser with a profile on disk, so that closing and opening it is what it is for a person. */
export class Browser {
  readonly #profile = mkdtempSync(join(tmpdir(), 'chromium-'));
  /** What the pages complained about: scripts, policies, missing files. */
  readonly complaints: string[] = [];
  #context: BrowserContext | undefined;

  private constructor(
    private readonly launch: LaunchOptions,
    private readonly baseURL: string,
  ) {}

  static async open(launch: LaunchOptions, baseURL: string): Promise<Browser> {
    const browser = new Browser(launch, baseURL);
    await browser.#launch();
    return browser;
  }

  get page(): Page {
    return this.#context!.pages()[0]!;
  }

  /** The names of the cookies it holds. */
  async cookies(): Promise<string[]> {
    return (await this.#context!.cookies()).map(({ name }) => name);
  }

  /** Closes it as a person would, so that its session cookies end, and opens it again. */
  async restart(): Promise<void> {
    await this.#context?.close();
    await this.#launch();
  }

  async close(): Promise<void> {
    await this.#context?.close();
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  async #launch(): Promise<void> {
    this.#context = await chromium.launchPersistentContext(this.#profile, {
      ...this.launch,
      baseURL: this.baseURL,
      // People's browsers keep whole pages for the back button, unless they are told not to.
      ignoreDefaultArgs: ['--disable-back-forward-cache'],
    });
    this.#context.setDefaultTimeout(10_000);
    this.#context.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(message.text());
    });
  }
}
