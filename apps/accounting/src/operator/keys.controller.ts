import { Body, Controller, Delete, Get, Header, HttpCode, Inject, Param, Patch, Post, Query } from '@nestjs/common';
import { z } from 'zod';
import { KEY_DESK } from '../tokens.ts';
import type { KeyDesk } from './key-desk.ts';
import { parseKeyChange, parseNewKey } from './parse-body.ts';
import { limit, name, parseQuery } from './parse-query.ts';

const listQuery = z.strictObject({ cursor: name.optional(), limit });

@Controller('admin/v1/keys')
export class KeysController {
  readonly #keys: KeyDesk;

  constructor(@Inject(KEY_DESK) keys: KeyDesk) {
    this.#keys = keys;
  }

  /** A new key; this answer is the only one that ever shows its secret. */
  @Post()
  @Header('Cache-Control', 'no-store')
  async create(@Body() body: unknown) {
    return this.#keys.create(parseNewKey(body));
  }

  /** All keys, revoked ones too, newest first; those of the configuration come last. */
  @Get()
  async list(@Query() query: unknown) {
    return this.#keys.list(parseQuery(listQuery, query));
  }

  @Get(':id')
  async find(@Param('id') id: string) {
    return this.#keys.find(id);
  }

  /** Fields that are given replace the old ones, and so does each of the limits; null takes one back to its default. */
  @Patch(':id')
  async change(@Param('id') id: string, @Body() body: unknown) {
    return this.#keys.change(id, parseKeyChange(body));
  }

  /** A new secret for the key; the old one ends with it. */
  @Post(':id/rotate')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  async rotate(@Param('id') id: string) {
    return this.#keys.rotate(id);
  }

  @Delete(':id')
  @HttpCode(204)
  async revoke(@Param('id') id: string) {
    await this.#keys.revoke(id);
  }
}
