import * as runner from 'vitest';
import { describeKit } from '../testing/kit-scenario';

describeKit(runner);
