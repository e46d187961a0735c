import { describe, expect, it } from 'vitest';
import { rulesOf, type ModelRules } from './model-rules.ts';

const OLD: ModelRules = {
  isAdaptive: false,
  alwaysThinks: false,
  takesXhigh: false,
  sampling: 'both',
  takesForcedTools: true,
  takesSystemInPlace: false,
};
const ADAPTIVE: ModelRules = { ...OLD, isAdaptive: true, sampling: 'one' };
const CURRENT: ModelRules = { ...ADAPTIVE, takesXhigh: true, sampling: 'none' };
const NEWER: ModelRules = { ...CURRENT, takesSystemInPlace: true };
const NEWEST: ModelRules = { ...NEWER, alwaysThinks: true, takesForcedTools: false };

describe('rulesOf', () => {
  it.each([
    ['claude-2.1', OLD],
    ['claude-instant-1.2', OLD],
    ['claude-3-haiku-20240307', OLD],
    ['claude-3-7-sonnet', OLD],
    ['claude-sonnet-4-20250514', OLD],
    ['claude-opus-4@20250514', OLD],
    ['claude-opus-4-1-20250805', { ...OLD, sampling: 'one' }],
    ['claude-haiku-4-5-20251001', { ...OLD, sampling: 'one' }],
    ['claude-sonnet-4-6', ADAPTIVE],
    ['anthropic/claude-opus-4.6', ADAPTIVE],
    ['claude-opus-4-7', CURRENT],
    ['claude-sonnet-5', CURRENT],
    ['us.anthropic.claude-opus-4-8-v1:0', NEWER],
    ['claude-opus-4-10', NEWER],
    ['claude-opus-5', NEWER],
    ['claude-haiku-5-5', NEWER],
    ['claude-fable-5', { ...NEWER, alwaysThinks: true }],
    ['claude-fable-5-2', NEWEST],
    ['claude-opus-5-5', NEWEST],
    ['claude-sonnet-5-5', NEWEST],
  ])('knows what %s takes', (model, rules) => {
    expect(rulesOf(model)).toEqual(rules);
  });

  it.each([
    ['claude-opus-7', NEWEST],
    ['claude-opus', NEWEST],
    ['claude-opus-latest', NEWEST],
    ['claude-verse-6', NEWER],
    ['claude-verse', NEWER],
  ])('takes the name %s, which is not known, for that of a new model', (model, rules) => {
    expect(rulesOf(model)).toEqual(rules);
  });

  it('takes other makers’ models for old ones', () => {
    expect(rulesOf('deepseek-v4')).toEqual(OLD);
  });
});
