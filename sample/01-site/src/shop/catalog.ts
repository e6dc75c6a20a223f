/** Something to buy. */
export interface Product {
  readonly id: string;
  readonly name: string;
  /** With its article, for sentences. */
  readonly one: string;
  readonly text: string;
  /** In denarii. */
  readonly price: number;
  /** The mosaic that shows it. */
  readonly picture: string;
}

export const CATALOG: readonly Product[] = [
  {
    id: 'lamp',
    name: 'Oil lamp',
    one: 'An oil lamp',
    text: 'Fired clay, one flame, and a handle that stays cool until the third watch.',
    price: 4,
    picture: 'lamp',
  },
  {
    id: 'tablet',
    name: 'Wax tablet',
    one: 'A wax tablet',
    text: 'Two leaves of boxwood with a stylus. Write the watchword, read it, smooth it out.',
    price: 6,
    picture: 'tablet',
  },
  {
    id: 'amphora',
    name: 'Amphora of oil',
    one: 'An amphora of oil',
    text: 'From the hills behind Tusculum, first pressing. Enough for a winter of lamps.',
    price: 18,
    picture: 'amphora',
  },
  {
    id: 'garum',
    name: 'Garum, a jar',
    one: 'A jar of garum',
    text: 'Fish sauce from Pompeii. You will love it, or your tent mates will move out.',
    price: 9,
    picture: 'fish',
  },
  {
    id: 'wreath',
    name: 'Laurel wreath',
    one: 'A laurel wreath',
    text: 'For small triumphs: a green build, a quiet night, a bug that stayed dead.',
    price: 12,
    picture: 'wreath',
  },
  {
    id: 'owl',
    name: "Minerva's owl",
    one: "Minerva's owl",
    text: 'Bronze, the size of a fist. Keeps watch over what you would rather remember.',
    price: 25,
    picture: 'owl',
  },
];

export const PRODUCT_IDS = CATALOG.map(({ id }) => id);
